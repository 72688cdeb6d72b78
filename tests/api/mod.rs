//! The read side and the HTTP API, seen from outside.

mod access;
pub mod answers;
mod bad_requests;
pub mod client;
pub mod contract;
mod engine;
mod exports;
mod histograms;
mod intelligence;
mod lists;
mod many;
pub mod oracle;
mod question;
mod replay;
pub mod server;
mod sums;
pub mod web;
