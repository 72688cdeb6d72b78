pub mod known;
pub mod parse;
pub mod rank;
pub mod serving;
pub mod sieve;
pub mod store;
