//! backlinkd: an open, self-hosted backlink index.
//!
//! ```text
//!  seeds ─► frontier ─► fetch ─► parse ─► page record ─► store ──► rank ──► store ──► query ──► api
//!             ▲           │        │     (page + links)  RocksDB   PageRank  ranks             warp
//!             └───────────┴────────┘
//!              redirects, outlinks
//! ```
//!
//! One page record, written in one atomic batch, is the unit of everything. Imports point down only:
//! `model`, `urls`, `config`, `encoding`, `log_throttle`, `lru`, `sorting`, `threads` below the pure stages (`parse`,
//! `frontier`, `sitemap`, `graph`, `rank::pagerank`, `fetch::robots_txt`), below the outside world (`fetch`, `store`,
//! `geo`, `warc`), below the stages (`crawl`, `rank`, `query`), below `api`, `demo` and `cli`. `tests/architecture.rs` checks it.

pub mod api;
pub mod cli;
pub mod config;
pub mod crawl;
pub mod demo;
pub mod encoding;
pub mod fetch;
pub mod frontier;
pub mod geo;
pub mod graph;
pub mod log_throttle;
pub mod lru;
pub mod model;
pub mod parse;
pub mod query;
pub mod rank;
pub mod sieve;
pub mod sitemap;
pub mod sorting;
pub mod store;
pub mod threads;
pub mod urls;
pub mod warc;
