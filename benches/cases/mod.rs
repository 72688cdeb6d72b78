pub mod parse;
pub mod rank;
pub mod store;
