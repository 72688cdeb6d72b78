//! `cargo bench`: the speed goals, in the terms they are stated in.
#![allow(clippy::unwrap_used, clippy::expect_used)]
mod cases;

criterion::criterion_main!(cases::parse::benches, cases::rank::benches, cases::store::benches);
