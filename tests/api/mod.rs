//! The read side and the HTTP API, seen from outside.

pub mod about;
mod access;
pub mod answers;
mod bad_requests;
pub mod client;
pub mod contract;
mod engine;
mod exports;
mod formats;
mod histograms;
pub mod intelligence;
mod kept;
mod lists;
mod many;
mod metrics;
mod openapi;
pub mod oracle;
mod question;
mod rates;
mod replay;
mod representations;
pub mod server;
mod sums;
pub mod web;
