//! Who is served when, where more is asked for than can be done at once.
//!
//! Places are given to clients in turn ([`FairQueue`]): a client is a user or, without users, an address. Queries have
//! such places ([`QueryTurns`]), and so have streamed answers and passwords that are verified. Rates are bounded by
//! client ([`Limiter`]), and so is the memory of answers that are held for clients ([`AnswerMemory`]).

mod fair_queue;
mod memory;
mod overload;
mod rate;
mod turns;

pub use fair_queue::{FairQueue, Place, QueueLimits, Refused};
pub use memory::{AnswerMemory, ClientBytes, Reservation};
pub use rate::{Client, Limiter, Rate};
pub use turns::{QueryTurns, Turn, TurnFigures, concurrent_queries, long_queries};
