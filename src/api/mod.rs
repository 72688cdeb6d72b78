//! The HTTP API: the only part that knows warp.
//!
//! A request passes one door ([`serve`]): credentials and rate are checked; an answer given before is given again if
//! the index is still the same; else the path is looked up in the endpoint table ([`ENDPOINTS`]), method, sizes and
//! parameters are checked, and the answer is computed off the async threads, under a deadline and within a bound of
//! queries at once. In: a [`ApiState`] and a listener. Out: JSON, or rows in CSV or JSON lines, with an entity tag and
//! compressed where the client likes; errors are JSON, always. Invariants: a client without credentials learns
//! whether the server can serve, and nothing else; every error has its place in one table ([`ApiError`]); a cause inside the
//! server is logged once and never shown.
//!
//! It computes nothing itself ([`crate::query`] does), and speaks no TLS.

mod activity;
mod admission;
mod answers;
mod asked;
mod auth;
mod beside;
mod call;
mod compress;
mod connection;
mod door;
mod emptiness;
mod endpoint;
pub mod endpoints;
mod error;
mod exports;
mod exposition;
mod lists;
mod metrics;
mod negotiate;
mod openapi;
mod outlet;
mod parameter;
mod params;
mod posted;
mod probe;
mod process;
mod reply;
mod representation;
mod requests;
mod routes;
mod rows;
mod server;
pub mod shape;
mod spreadsheet;
mod where_pattern;
mod workers;

use std::sync::Arc;

pub use activity::{Activity, Ranking};
pub use asked::{Asked, Source};
pub use auth::{PasswordError, hash_password};
pub use call::Call;
pub use endpoint::{Answer, Endpoint, Exported, Verb, Wider};
pub use error::ApiError;
pub use exposition::{Kind, Metric};
pub use metrics::METRICS;
pub use parameter::{Parameter, Takes};
pub use params::Params;
pub use posted::Posted;
pub use routes::ENDPOINTS;
pub use server::{ServeError, bind, serve};

use crate::config::ApiConfig;
use crate::query::Searches;
use crate::store::Store;
use crate::urls::{Suffixes, UrlRules};

/// Who may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthPolicy {
    /// The users in the store, with their passwords.
    Users,
    /// Everybody. Only for a server without users that listens on loopback.
    Open,
}

/// What the API answers from.
#[derive(Clone)]
pub struct ApiState {
    pub store: Arc<Store>,
    pub searches: Arc<Searches>,
    pub suffixes: Arc<Suffixes>,
    pub rules: UrlRules,
    pub config: ApiConfig,
    pub auth: AuthPolicy,
    /// What runs in the same process and is told of by `/metrics`.
    pub activity: Arc<Activity>,
}
