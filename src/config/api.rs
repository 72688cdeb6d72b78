//! `[api]`: the HTTP API.

use std::net::{Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use url::Host;

use super::networks::read_networks;
use super::{Span, at_least};

/// See `config/default.toml` for units and reasons.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ApiConfig {
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// A file of users (`cli::process::user_file`). Empty: none.
    pub user_file: PathBuf,
    /// Host names that requests to an API without users may use, in addition to those of this machine.
    pub hosts: Vec<String>,
    /// Networks of proxies whose `Forwarded` or `X-Forwarded-For` is trusted.
    #[serde(deserialize_with = "read_networks")]
    pub trusted_proxies: Vec<IpNet>,
    /// The header in which these proxies give the client's address.
    pub forwarded_header: ForwardedHeader,
    /// Connections open at once.
    pub max_connections: usize,
    /// Connections open at once from one address.
    pub max_connections_per_address: usize,
    /// Requests in progress at once on one HTTP/2 connection.
    pub max_requests_per_connection: u32,
    /// Bytes of a response that the operating system buffers for a client.
    pub send_buffer_bytes: usize,
    /// Time for the head of a request.
    pub head_timeout: Span,
    /// Time for the body of a request.
    pub body_timeout: Span,
    /// Time that a connection may stay open without a request.
    pub idle_timeout: Span,
    /// Time in which a client must read more of its response.
    pub write_timeout: Span,
    /// Time for a request and its response as a whole.
    pub request_timeout: Span,
    /// Time that responses in progress get to finish when the server stops.
    pub drain: Span,
    /// Whether `/metrics` needs no credentials.
    pub metrics_open: bool,
    /// Rows of one answer at most.
    pub max_limit: usize,
    /// Bytes of a request's query string at most.
    pub max_query_bytes: usize,
    /// Bytes of a request's body at most.
    pub max_body_bytes: usize,
    /// URLs in one request at most.
    pub max_urls: usize,
    /// URLs in one POST request to summary at most.
    pub max_summaries: usize,
    /// Targets in one request to linkintersect at most, and likewise exclusions.
    pub max_targets: usize,
    /// Domains in the graph of neighbourhood at most.
    pub max_nodes: usize,
    /// Redirects that redirectchain follows at most.
    pub max_redirects: usize,
    /// Rows of one answer of history at most.
    pub max_history_rows: usize,
    /// Conditions in one `where` at most.
    pub max_where_conditions: usize,
    /// Parentheses and NOTs around one condition at most.
    pub max_where_depth: usize,
    /// Columns that `facets` may name.
    pub max_facets: usize,
    /// Values that each of the facets shows at most.
    pub max_facet_values: usize,
    /// Hosts of `/crawl/hosts` at most, counted to the end of the page that is asked for.
    pub max_crawl_hosts: usize,
    /// Longest time a query may take before it is answered with 503.
    pub deadline: Span,
    /// Time within which a read of the index must succeed for a probe.
    pub health_timeout: Span,
    /// Queries computed at once; further ones wait. 0: two per core.
    pub max_concurrent_queries: usize,
    /// Time after which a query frees its place among these.
    pub long_query_after: Span,
    /// Long queries computed at once. 0: four per core.
    pub max_long_queries: usize,
    /// Queries that wait at most.
    pub max_waiting_queries: usize,
    /// Time for which the queue of queries may stay non-empty before new queries are refused.
    pub overload_after: Span,
    /// Bytes of all responses held in memory for their clients.
    pub answer_memory_bytes: u64,
    /// Of these, bytes of the responses of one client.
    pub answer_memory_per_client_bytes: u64,
    /// Threads that compute the large parts of queries; 0: one per core.
    pub query_threads: usize,
    /// Verified credentials in the cache at most, so that a password is not hashed for every request.
    pub credential_cache_entries: usize,
    /// Time for which verified credentials stay in the cache.
    pub credential_cache_ttl: Span,
    /// Bytes of responses in the cache, which serves them while the index is unchanged. 0: none.
    pub answer_cache_bytes: u64,
    /// Bytes from which on a response is compressed for clients that accept it.
    pub compress_min_bytes: usize,
    /// Bytes of each chunk of a response that is not JSON; a shorter response is sent whole.
    pub stream_piece_bytes: usize,
    /// Rows of a Parquet row group.
    pub row_group_rows: usize,
    /// Bytes of an encoded row group at which it is written.
    pub row_group_bytes: usize,
    /// Bytes of all kept Parquet files. 0: none.
    pub kept_file_bytes: u64,
    /// Time for which a kept file answers new readers.
    pub kept_file_time: Span,
    /// Responses sent in chunks at once; further ones wait.
    pub max_concurrent_streams: usize,
    /// Of these, responses for one client.
    pub max_streams_per_client: usize,
    /// Requests a second that a user may send on average. 0: any number.
    pub rate_limit_per_second: u32,
    /// Requests that a user may send at once after a pause.
    pub rate_limit_burst: u32,
    /// Users and addresses whose rate is remembered at most.
    pub rate_limit_clients: usize,
    /// Wrong passwords a second for one name from one address. 0: any number.
    pub login_limit_per_second: u32,
    /// Wrong passwords at once after a pause.
    pub login_limit_burst: u32,
    /// Time that a password waits for its verification.
    pub login_wait: Span,
    /// Passwords that wait for verification at most.
    pub max_waiting_logins: usize,
    /// Sessions in memory at most.
    pub max_sessions: usize,
    /// Time for which a session lasts.
    pub session_ttl: Span,
    /// Time after which an unused session ends.
    pub session_idle: Span,
    /// Origins whose pages may read responses.
    pub allow_origins: Vec<String>,
}

/// A header in which proxies give the client's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForwardedHeader {
    XForwardedFor,
    /// RFC 7239.
    Forwarded,
}

/// The parser of `where` recurses, so that its stack bounds the depth.
const MOST_DEPTH: usize = 100;

/// Targets for which linkintersect has columns.
const MOST_TARGETS: usize = 20;

impl Default for ApiConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            user_file: PathBuf::new(),
            hosts: Vec::new(),
            trusted_proxies: Vec::new(),
            forwarded_header: ForwardedHeader::XForwardedFor,
            max_connections: 1_000,
            max_connections_per_address: 500,
            max_requests_per_connection: 32,
            send_buffer_bytes: 256 << 10,
            head_timeout: Span::seconds(10),
            body_timeout: Span::seconds(30),
            idle_timeout: Span::seconds(75),
            write_timeout: Span::seconds(60),
            request_timeout: Span::seconds(3_600),
            drain: Span::seconds(10),
            metrics_open: false,
            max_limit: 10_000,
            max_query_bytes: 48 << 10,
            max_body_bytes: 1 << 20,
            max_urls: 1_000,
            max_summaries: 20,
            max_targets: MOST_TARGETS,
            max_nodes: 500,
            max_redirects: 20,
            max_history_rows: 4_000,
            max_where_conditions: 5_000,
            max_where_depth: 8,
            max_facets: 6,
            max_facet_values: 20,
            max_crawl_hosts: 20_000,
            deadline: Span::seconds(60),
            health_timeout: Span::seconds(1),
            max_concurrent_queries: 0,
            long_query_after: Span(Duration::from_millis(250)),
            max_long_queries: 0,
            max_waiting_queries: 1_000,
            overload_after: Span::seconds(1),
            answer_memory_bytes: 256 << 20,
            answer_memory_per_client_bytes: 64 << 20,
            query_threads: 0,
            credential_cache_entries: 1_000,
            credential_cache_ttl: Span::seconds(24 * 3_600),
            answer_cache_bytes: 64 << 20,
            compress_min_bytes: 1_400,
            stream_piece_bytes: 256 << 10,
            row_group_rows: 131_072,
            row_group_bytes: 12 << 20,
            kept_file_bytes: 1 << 30,
            kept_file_time: Span::seconds(300),
            max_concurrent_streams: 64,
            max_streams_per_client: 4,
            rate_limit_per_second: 0,
            rate_limit_burst: 100,
            rate_limit_clients: 10_000,
            login_limit_per_second: 10,
            login_limit_burst: 20,
            login_wait: Span::seconds(10),
            max_waiting_logins: 100,
            max_sessions: 1_000,
            session_ttl: Span::seconds(7 * 24 * 3_600),
            session_idle: Span::seconds(24 * 3_600),
            allow_origins: Vec::new(),
        }
    }
}

impl ApiConfig {
    pub(super) fn validate(&self) -> Result<(), String> {
        self.allow_origins.iter().try_for_each(|origin| check_origin(origin))?;
        self.hosts.iter().try_for_each(|host| check_host(host))?;
        at_least("api.max_sessions", self.max_sessions as u64, 1)?;
        at_least("api.max_limit", self.max_limit as u64, 1)?;
        at_least("api.max_query_bytes", self.max_query_bytes as u64, 1_024)?;
        at_least("api.max_body_bytes", self.max_body_bytes as u64, 1_024)?;
        at_least("api.max_urls", self.max_urls as u64, 1)?;
        if !(2..=MOST_TARGETS).contains(&self.max_targets) {
            return Err(format!(
                "api.max_targets is {}; it must be from 2 to {MOST_TARGETS}",
                self.max_targets
            ));
        }
        at_least("api.max_nodes", self.max_nodes as u64, 1)?;
        at_least("api.max_redirects", self.max_redirects as u64, 1)?;
        at_least("api.max_history_rows", self.max_history_rows as u64, 1)?;
        self.validate_lists()?;
        at_least("api.health_timeout in milliseconds", self.health_timeout.as_millis(), 1)?;
        for (key, span) in [
            ("api.head_timeout", self.head_timeout),
            ("api.body_timeout", self.body_timeout),
            ("api.idle_timeout", self.idle_timeout),
            ("api.write_timeout", self.write_timeout),
            ("api.request_timeout", self.request_timeout),
        ] {
            at_least(&format!("{key} in milliseconds"), span.as_millis(), 1)?;
        }
        at_least("api.max_connections", self.max_connections as u64, 1)?;
        at_least("api.max_connections_per_address", self.max_connections_per_address as u64, 1)?;
        at_least("api.max_requests_per_connection", u64::from(self.max_requests_per_connection), 1)?;
        at_least("api.send_buffer_bytes", self.send_buffer_bytes as u64, 4_096)?;
        at_least("api.max_streams_per_client", self.max_streams_per_client as u64, 1)?;
        at_least("api.login_limit_burst", u64::from(self.login_limit_burst), 1)?;
        at_least("api.max_waiting_logins", self.max_waiting_logins as u64, 1)?;
        at_least("api.stream_piece_bytes", self.stream_piece_bytes as u64, 1_024)?;
        at_least("api.max_concurrent_streams", self.max_concurrent_streams as u64, 1)?;
        at_least("api.rate_limit_burst", u64::from(self.rate_limit_burst), 1)?;
        at_least("api.rate_limit_clients", self.rate_limit_clients as u64, 1)
    }

    /// The limits of `where`, `facets` and tables.
    fn validate_lists(&self) -> Result<(), String> {
        at_least("api.row_group_rows", self.row_group_rows as u64, 1)?;
        at_least("api.row_group_bytes", self.row_group_bytes as u64, 65_536)?;
        at_least("api.max_summaries", self.max_summaries as u64, 1)?;
        at_least("api.max_crawl_hosts", self.max_crawl_hosts as u64, 1)?;
        at_least("api.max_where_conditions", self.max_where_conditions as u64, 1)?;
        at_least("api.max_facets", self.max_facets as u64, 1)?;
        at_least("api.max_facet_values", self.max_facet_values as u64, 1)?;
        if self.max_where_depth > MOST_DEPTH {
            return Err(format!(
                "api.max_where_depth is {}; it must be at most {MOST_DEPTH}",
                self.max_where_depth
            ));
        }
        Ok(())
    }
}

/// An origin is a scheme, a host and possibly a port (RFC 6454). A list of all origins is refused: every page that a
/// user of this machine opens could read the index.
/// Checks a name of `api.hosts`. It is compared with the Host header of requests without its port.
fn check_host(host: &str) -> Result<(), String> {
    let rest = host.split_once("://").map_or(host, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let authority = authority.rsplit('@').next().unwrap_or_default();
    let name = match authority.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') || name.ends_with(']') || port.is_empty() => name,
        _ => authority,
    };
    let name = if name.parse::<Ipv6Addr>().is_ok() { format!("[{name}]") } else { name.to_owned() };
    let right = Host::parse(&name).map_or_else(|_| "links.example".to_owned(), |host| host.to_string());
    if !host.contains('*') && host.trim_end_matches('.').eq_ignore_ascii_case(right.trim_end_matches('.')) {
        return Ok(());
    }
    let right = if host.contains('*') { "www.links.example" } else { &right };
    Err(format!(
        "api.hosts has \"{host}\"; write a host alone, without scheme, port and path, like \"{right}\""
    ))
}

fn check_origin(origin: &str) -> Result<(), String> {
    let authority = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    let is_origin = authority.is_some_and(|authority| {
        !authority.is_empty() && !authority.contains(['/', '*', '@', '?', '#', ' '])
    });
    if is_origin {
        return Ok(());
    }
    Err(format!("api.allow_origins has \"{origin}\"; write origins like \"https://notebook.example:8443\""))
}
