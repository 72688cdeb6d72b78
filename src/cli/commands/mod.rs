//! The commands, one file for each; `seeds` and `block` share one.

pub(super) mod access;
pub(super) mod crawl;
pub(super) mod demo;
mod doctor;
pub(super) mod explain;
pub(super) mod host;
pub(super) mod lists;
pub(super) mod mcp;
pub(super) mod rank;
pub(super) mod robots;
pub(super) mod run;
pub(super) mod serve;
pub(super) mod setup;
pub(super) mod stats;
pub(super) mod verify;
