//! HTTP: connections, admission, authentication, content negotiation, and response bodies.
//!
//! [`server`] opens the listener; [`connection`] accepts connections and limits how long each may take.
//! [`api_service`] handles each request: it authenticates the client ([`auth`]), applies the limits ([`admission`]),
//! looks into the response cache ([`response_cache`]), and else runs the endpoint on a worker thread ([`execution`]).
//! The endpoint writes its response through [`body_writer`]. Parts of Parquet responses come from [`kept_files`].

pub(super) mod admission;
pub(super) mod api_service;
pub(super) mod auth;
pub(super) mod body_writer;
pub(super) mod compression;
pub(super) mod connection;
pub(super) mod cross_origin;
pub(super) mod execution;
pub(super) mod health_probe;
pub(super) mod kept_files;
pub(super) mod negotiation;
pub(super) mod representation;
pub(super) mod request_body;
pub(super) mod response_cache;
pub(super) mod server;
pub(super) mod worker_pool;
