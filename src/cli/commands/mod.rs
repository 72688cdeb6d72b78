//! The commands, one file for each; `seeds` and `block` share one.

pub mod crawl;
pub mod demo;
pub mod explain;
pub mod host;
pub mod lists;
pub mod rank;
pub mod robots;
pub mod run;
pub mod serve;
pub mod stats;
pub mod user;
pub mod verify;
