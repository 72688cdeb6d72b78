//! `cargo bench`: the speed goals, in the terms they are stated in.
mod cases;

criterion::criterion_main!(cases::parse::benches, cases::rank::benches, cases::store::benches);
