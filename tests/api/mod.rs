//! The read side and the HTTP API, seen from outside.

mod access;
pub mod answers;
mod bad_requests;
pub mod client;
mod contract;
mod engine;
mod exports;
pub mod oracle;
pub mod server;
mod web;
