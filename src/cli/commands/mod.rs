//! The commands, one file for each.

pub mod crawl;
pub mod demo;
pub mod explain;
pub mod host;
pub mod rank;
pub mod robots;
pub mod run;
pub mod serve;
mod server_report;
pub mod stats;
pub mod user;
pub mod verify;
