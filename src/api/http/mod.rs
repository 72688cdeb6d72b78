//! HTTP: connections, admission, authentication, content negotiation, and response bodies.
//!
//! [`server`] opens the listener; [`connection`] accepts connections and limits how long each may take. [`service`]
//! handles each request: it authenticates the client ([`auth`]), applies the limits ([`admission`]), looks into the
//! response cache ([`response_cache`]), and else runs the endpoint on a worker thread ([`execution`]). The endpoint
//! writes its response through [`body_writer`].

pub mod admission;
pub mod auth;
pub mod body_writer;
pub mod compression;
pub mod connection;
pub mod execution;
pub mod health_probe;
pub mod negotiation;
pub mod representation;
pub mod request_body;
pub mod response_cache;
pub mod server;
pub mod service;
pub mod worker_pool;
