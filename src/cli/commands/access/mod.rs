//! The commands about access to the API: its users and its tokens.

pub(in crate::cli) mod token;
pub(in crate::cli) mod user;
