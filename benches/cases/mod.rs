pub mod parse;
pub mod rank;
