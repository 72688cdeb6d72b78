//! The HTTP API: the only folder that imports warp.
//!
//! Input: an [`ApiState`] and a listener. Output: JSON, rows (CSV, JSON lines), tables (Parquet, Arrow), feeds (Atom),
//! graphs (GEXF, GraphML), and the files of the web page. Responses have an entity tag, and are compressed if the client accepts that. Errors are
//! always JSON.
//!
//! [`serve`] handles each request in this order:
//!
//! 1. Probes and the web page are answered. Changes of `/session` and open metrics are, too.
//! 2. The credentials, the request rate and the role of the client are checked.
//! 3. If the response is cached and the index is unchanged, it is sent.
//! 4. The path is looked up in the endpoint table ([`ENDPOINTS`]). Method, sizes and parameters are checked.
//! 5. The reply is computed on a worker thread, under a deadline ([`RequestContext::write_response`] in `dispatch.rs`).
//!    The number of concurrent queries is limited.
//!
//! A request to `/mcp` passes step 2, and the call of a tool in it steps 3 to 5.
//!
//! | folder | content |
//! |---|---|
//! | `http` | connections, limits, authentication, caching; the steps above |
//! | `request` | parameters, and the context in which an endpoint computes its reply |
//! | `endpoints` | the declaration of each endpoint |
//! | `reply` | rendering: lists, exports, graphs, errors |
//! | `openapi` | the OpenAPI document |
//! | `mcp` | the tools for agents |
//! | `web_ui` | the web page |
//!
//! Invariants: without credentials, a client gets probes, the web page and a sign-in, and no data of the index. Every
//! error is an [`ApiError`]. The cause of an internal error is logged once and never sent.
//!
//! The API computes nothing itself ([`crate::query`] does), and speaks no TLS.

mod crawl_control;
mod dispatch;
mod docs;
mod endpoint;
pub mod endpoints;
mod error;
mod host_list_cache;
mod http;
mod mcp;
mod openapi;
mod reply;
mod request;
mod routes;
mod web_ui;

use std::sync::Arc;

pub use self::http::auth::{PasswordError, hash_password, is_password_hash, is_right_password};
pub use self::http::auth::{UserError, check_password, check_password_hash, check_user_name};
pub use self::http::auth::{random_token, token_digest};
pub use self::http::server::{ServeError, bind, serve};
pub use crawl_control::{ControlError, CrawlControl, CrawlFailure, CrawlStatus, ListEffect};
pub use docs::{Docs, Topic};
pub use endpoint::{Endpoint, ExportKind, Feed, Handler, OptionalColumns, Verb};
pub use error::{ApiError, ErrorDetail};
pub use host_list_cache::HostListCache;
pub use mcp::{ApiAnswer, ApiClient, ToolServerError, ToolSettings, serve_tools, serve_tools_through};
pub use reply::provenance::{JsonReply, Provenance};
pub use request::context::RequestContext;
pub use request::day_range::{DayRange, current_day};
pub use request::json_body::JsonBody;
pub use request::list_request::{ComputedRows, ListRequest, RowSource};
pub use request::parameter::{Parameter, ParameterKind};
pub use request::query_string::QueryString;
pub use routes::{CRAWL_ENDPOINTS, ENDPOINTS};

use crate::config::{ApiConfig, Config};
use crate::metrics::ProcessActivity;
use crate::model::Day;
use crate::query::SearchIndexes;
use crate::store::Store;
use crate::urls::{Suffixes, UrlRules};

/// Who may use the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthPolicy {
    /// The users in the store, with their passwords.
    Users,
    /// Any client. Only for a server without users that listens on loopback.
    Open,
}

/// What the API serves from.
#[derive(Clone)]
pub struct ApiState {
    pub store: Arc<Store>,
    pub searches: Arc<SearchIndexes>,
    pub suffixes: Arc<Suffixes>,
    pub rules: UrlRules,
    pub config: ApiConfig,
    /// The whole configuration, for explanations of the crawl.
    pub settings: Arc<Config>,
    pub auth: AuthPolicy,
    /// Background work in the same process, for `/metrics`.
    pub activity: Arc<ProcessActivity>,
    /// The crawl of this process; `None` if there is none.
    pub crawl: Option<Arc<dyn CrawlControl>>,
    /// The lists of hosts that are cached for a while.
    pub host_lists: Arc<HostListCache>,
    /// The clock. It returns the current day, as [`current_day`] does.
    pub today: fn() -> Day,
    /// Whether the index is that of the demo, whose dates are made up. `/stats` says so, and the page shows it.
    pub is_demo: bool,
}
