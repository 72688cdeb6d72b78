//! Connections of clients: how many there may be, how long each may take, and what becomes of them when the server ends.
//!
//! A connection is accepted while there is room ([`Connections`]), and served by hyper. What happens on it is noted
//! ([`Activity`]): when bytes of a head came, which requests are under way, and when a client last took bytes of an
//! answer ([`AnswerBody`]). One task looks at the notes of all connections and ends what takes too long: a request of an
//! HTTP/2 connection alone, or the whole connection. So nobody holds a place by being slow.
//!
//! Memory for answers and bodies is taken from one budget ([`AnswerRoom`]).

mod activity;
mod body;
mod cut;
mod forwarded;
mod host;
mod observed;
mod registry;
mod requests;
mod room;
mod serve;

pub use activity::{Activity, Exchange};
pub use body::{AnswerBody, Holds};
pub use cut::{Cut, Cuts};
pub use forwarded::client_address;
pub use host::Hosts;
pub use registry::Connections;
pub use requests::{Head, Requests};
pub use room::AnswerRoom;
pub use serve::serve;
