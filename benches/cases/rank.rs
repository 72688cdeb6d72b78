//! (to be written)
use criterion::{Criterion, criterion_group};
fn nothing(_c: &mut Criterion) {}
criterion_group!(benches, nothing);
