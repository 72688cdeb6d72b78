//! backlinkd: an open, self-hosted backlink index.
//!
//! ```text
//!  seeds ─► queue ─► frontier ─► fetch ─► parse ─► visit record ─► store ──► rank ──► store ──► query ──► api
//!             ▲                    │        │     (page + links)  RocksDB   PageRank  ranks             warp
//!             └────────────────────┴────────┘
//!                 redirects, outlinks
//! ```
//!
//! The visit record is the unit of everything; one atomic batch writes it. Imports point down only, in this order:
//!
//! 1. `urls`, `clock`, `encoding`, `log_throttle`, `lru`, `private_files`, `sorting`, `threads`;
//! 2. `model`, `config`;
//! 3. stages without network and database: `sniff`, `parse`, `policy`, `sieve`, `sitemap`, `graph`, `rank::pagerank`,
//!    `fetch::robots_txt`;
//! 4. the outside world and the scheduler: `fetch`, `store`, `geo`, `warc`, `frontier`;
//! 5. the stages `crawl`, `rank`, `query`, and `inspect`;
//! 6. `metrics`, `api`, `demo`, `cli`.
//!
//! `tests/architecture.rs` checks it.

pub mod api;
pub mod cli;
pub mod clock;
pub mod config;
pub mod crawl;
pub mod demo;
pub mod encoding;
pub mod fetch;
pub mod frontier;
pub mod geo;
pub mod graph;
pub mod inspect;
pub mod log_throttle;
pub mod lru;
pub mod metrics;
pub mod model;
pub mod parse;
pub mod policy;
pub mod private_files;
pub mod query;
pub mod rank;
pub mod sieve;
pub mod sitemap;
pub mod sniff;
pub mod sorting;
pub mod store;
pub mod threads;
pub mod urls;
pub mod warc;
