//! Client connections: their number, their timeouts, and their end at shutdown.
//!
//! A connection is accepted while places are free ([`Connections`]), and served by hyper. Its state
//! ([`ConnectionState`]) records when bytes of a head arrived, which requests are in progress, and when the client last
//! took bytes of a response ([`ResponseBody`]). One task checks the states of all connections and ends what takes too
//! long: a single request over HTTP/2, or the whole connection. So no client holds a place by being slow.
//!
//! Responses and request bodies share one memory budget ([`MessageMemory`]).

mod accept;
mod allowed_hosts;
mod cut_reason;
mod exchange;
mod forwarded;
mod message_memory;
mod observed_stream;
mod registry;
mod request;
mod response_body;
mod state;
mod timeouts;

pub(crate) use accept::serve;
pub(crate) use allowed_hosts::AllowedHosts;
pub(crate) use cut_reason::{CutCounters, CutReason};
pub(crate) use exchange::Exchange;
pub(crate) use forwarded::{client_address, is_https};
pub(crate) use message_memory::MessageMemory;
pub(crate) use registry::Connections;
pub(crate) use request::{ConnectionContext, RequestHead};
pub(crate) use response_body::{HeldMemory, ResponseBody};
pub(crate) use state::ConnectionState;
