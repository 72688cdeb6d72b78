//! The read side and the HTTP API, seen from outside.

mod access;
mod answers;
mod bad_requests;
mod client;
mod contract;
mod engine;
mod exports;
mod oracle;
mod server;
mod web;
