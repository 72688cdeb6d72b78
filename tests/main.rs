//! One test binary: black-box tests of backlinkd.
#![expect(
    trivial_casts,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::cast_lossless,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "a test may fail, and nothing imports it"
)]

mod support;

mod access_log;
mod api;
mod architecture;
mod block_lists;
mod budgets;
mod cli;
mod config_layers;
mod crash;
mod crawl_policies;
mod crawl_turns;
mod cross_submits;
mod curl_differential;
mod demo;
mod docs;
mod document_types;
mod fetch_body;
mod fetch_bounds;
mod fetch_close;
mod fetch_connections;
mod fetch_names;
mod fetch_protocols;
mod fetch_robots;
mod fetch_tls;
mod fetch_web;
mod frontier_turns;
mod geo_places;
mod graphs;
mod held_hosts;
mod hostile;
mod link_oracle;
mod mcp;
mod packages;
mod page;
mod pipeline;
mod python;
mod query_bounds;
mod readme;
mod robots_cases;
mod search_index;
mod sitemaps;
mod slow_hosts;
mod store_format;
mod store_history;
mod traps;
mod urls_table;
mod verify;
mod walls;
mod warc;
mod warc_reading;
mod whole_web;
