//! Admission: how clients share the server when it is overloaded.
//!
//! A client ([`Client`]) is a user or, without users, an address. Clients get permits in turn ([`FairQueue`]). Queries
//! need a permit ([`QuerySlots`]), and so do streamed responses and the verification of passwords. Two more limits apply
//! to each client: its request rate ([`RateLimiter`]), and the memory of its responses ([`ByteBudget`]).

mod byte_budget;
mod client;
mod fair_queue;
mod overload;
mod query_slots;
mod rate_limit;

pub(crate) use byte_budget::{ByteBudget, ByteReservation, ClientCharge};
pub(crate) use client::Client;
pub(crate) use fair_queue::{FairQueue, Permit, QueueLimits, Refused};
pub(crate) use query_slots::{QuerySlot, QuerySlots, concurrent_queries, long_queries};
pub(crate) use rate_limit::{RateLimit, RateLimiter};
