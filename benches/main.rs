//! `cargo bench`: the speed goals, each in its own unit.
#![expect(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a bench may fail, and nothing imports it"
)]
mod cases;

use criterion::Criterion;

/// The allocator of the program, so that the figures apply to the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    if cases::serving::asked_otherwise() || cases::known::was_asked_for() {
        return;
    }
    cases::archives::benches();
    cases::parse::benches();
    cases::rank::benches();
    cases::serving::benches();
    cases::sieve::benches();
    cases::store::benches();
    cases::urls::benches();
    Criterion::default().configure_from_args().final_summary();
}
