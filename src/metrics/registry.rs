//! Every metric and where its samples come from: the process, its crawl, its store and its API.
//!
//! [`METRICS`] declares all metrics, in agreement with the table in the README. No metric scans rows: a scrape takes
//! about a millisecond.

use std::time::UNIX_EPOCH;

use super::activity::ProcessActivity;
use super::api::ApiMetrics;
use super::exposition::{Exposition, Metric};
use super::process::ProcessMetrics;
use crate::crawl::Figures;
use crate::model::FailureKind;
use crate::query::{IndexMetrics, SearchIndexes};
use crate::store::{FamilyMetrics, Store, StoreError, StoreMetrics};

/// The path of the metrics.
pub const PATH: &str = "/metrics";

macro_rules! metrics {
    ($($name:ident = $metric:expr;)*) => {
        $(static $name: Metric = $metric;)*
        /// Every metric, in the order of the text.
        pub static METRICS: &[&Metric] = &[$(&$name),*];
    };
}

metrics! {
    BUILD = Metric::gauge("backlinkd_build_info", &["version"], "1, labelled with the version.");
    FETCHES = Metric::counter("backlinkd_fetches_total", &["outcome"], "Page visits stored, by outcome: `answered`, or why there was no response.");
    FAILED = Metric::counter("backlinkd_failed_requests_total", &["resource", "kind"], "Requests that failed, each attempt by itself: for a `page`, a `sitemap`, a `robots.txt` or the `address` of a host, and why.");
    LEFT_OUT = Metric::counter("backlinkd_urls_left_out_total", &["reason"], "URLs that were not fetched: `robots` (robots.txt says no), `block-list`, `trap`.");
    UNCHANGED = Metric::counter("backlinkd_unchanged_total", &[], "Page visits answered with 304.");
    DROPPED_FIELDS = Metric::counter("backlinkd_dropped_header_fields_total", &[], "Header fields of pages left out because there were more than `fetch.max_headers` or `fetch.max_header_bytes`.");
    COPIES = Metric::counter("backlinkd_copies_total", &[], "Pages whose links were not followed because the host has too many of the same.");
    FILES_READ = Metric::counter("backlinkd_host_files_total", &["kind"], "Files about hosts: `robots.txt` asked for, `sitemap` read.");
    LINKS_MET = Metric::counter("backlinkd_links_met_total", &[], "Links on the pages stored.");
    BODY_BYTES = Metric::counter("backlinkd_body_bytes_total", &["form"], "Bytes of bodies, as they came over the `wire` and `decoded`.");
    STAGE_CPU = Metric::counter("backlinkd_stage_cpu_seconds_total", &["stage"], "CPU time by stage: `parse` (decoding, parsing), `store` (commits), and `merge` (the part of `store` that compares discovered URLs with the known ones).");
    MERGES = Metric::counter("backlinkd_seen_merges_total", &[], "Merges of discovered URLs into the set of known URLs.");
    UNSTORED = Metric::counter("backlinkd_unstored_total", &[], "Visits that were not stored because the disk was full or the index damaged; they are repeated.");
    CHECKED = Metric::counter("backlinkd_parse_checks_total", &["result"], "Pages read a second time with scraper (`parse.check_share`), by whether the links were `equal` or `different`.");
    DAMAGED = Metric::counter("backlinkd_damaged_total", &[], "Times that the crawl passed over something because the index is damaged there.");
    READY = Metric::gauge("backlinkd_ready_addresses", &[], "Server addresses with queued URLs and no fetch in progress.");
    UNDER_WAY = Metric::gauge("backlinkd_fetches_under_way", &[], "Fetches in progress.");
    SLOW_FETCHES = Metric::gauge("backlinkd_slow_fetches", &[], "Fetches in progress for longer than `crawl.slow_after`.");
    THROTTLED_HOSTS = Metric::gauge("backlinkd_held_hosts", &[], "Hosts that wait for others of their domain or network, or because too many are slow.");
    CRAWL_MEMORY = Metric::gauge("backlinkd_crawl_memory_bytes", &[], "Bytes of `crawl.memory_bytes` in use for responses, beyond the share reserved for each fetch.");
    CRAWL_MEMORY_WAITS = Metric::counter("backlinkd_crawl_memory_waits_total", &[], "Times that a response waited for room in `crawl.memory_bytes`.");
    HOSTS = Metric::gauge("backlinkd_hosts_in_memory", &[], "Servers whose queues are in memory, with or without work.");
    PAUSED = Metric::gauge("backlinkd_paused", &[], "1 while no pages are fetched because a disk is full, or nearly, or the index or the WARC files cannot be written to.");
    PAUSED_BY_OPERATOR = Metric::gauge("backlinkd_paused_by_operator", &[], "1 while an operator keeps the crawl paused.");
    SEEN = Metric::gauge("backlinkd_seen_urls", &["state"], "URLs: `known` ones, and discovered ones that wait to be compared with them (`met`).");
    INDEX_PAGES = Metric::gauge("backlinkd_index_pages", &["kind"], "URLs `visited` at least once, and those whose last response was `html`.");
    INDEX_LINKS = Metric::gauge("backlinkd_index_links", &["kind"], "Links: `active` ones, `backlink`s among them, and lost ones (`former`).");
    CHANGES = Metric::counter("backlinkd_store_changes_total", &[], "Commits that changed anything, since the index was begun.");
    KEYS = Metric::gauge("backlinkd_store_keys", &["family"], "Rows of a column family, estimated.");
    FILE_BYTES = Metric::gauge("backlinkd_store_file_bytes", &["family"], "Bytes of a column family's files.");
    FILES = Metric::gauge("backlinkd_store_files", &["family"], "Files of a column family.");
    MEMTABLES = Metric::gauge("backlinkd_store_memtable_bytes", &["family"], "Bytes written and not yet in files.");
    PENDING = Metric::gauge("backlinkd_store_pending_compaction_bytes", &["family"], "Bytes that compaction will have to rewrite.");
    CACHE_BYTES = Metric::gauge("backlinkd_store_block_cache_bytes", &[], "Bytes of blocks, indexes and filters in memory.");
    CACHE_CAPACITY = Metric::gauge("backlinkd_store_block_cache_capacity_bytes", &[], "Limit of the block cache: `store.block_cache_bytes`.");
    JOBS = Metric::gauge("backlinkd_store_jobs", &["kind"], "`compaction`s and `flush`es under way.");
    STOPPED = Metric::gauge("backlinkd_store_writes_stopped", &[], "1 while writes wait for compactions.");
    RANK_GENERATION = Metric::gauge("backlinkd_rank_generation", &[], "Number of the current ranks; 0 before the first.");
    RANK_SECONDS = Metric::gauge("backlinkd_rank_last_seconds", &[], "How long this process's last ranking took.");
    RANK_TIME = Metric::gauge("backlinkd_rank_last_timestamp_seconds", &[], "Unix time at which the last ranking was published.");
    RANK_FAILURES = Metric::counter("backlinkd_rank_failures_total", &[], "Rankings that failed.");
    SEARCH_BYTES = Metric::gauge("backlinkd_search_bytes", &["place"], "Bytes of search indexes in `memory` and on `disk`.");
    SEARCH_ENTRIES = Metric::gauge("backlinkd_search_entries", &["place"], "Parts of search indexes in `memory`, and their files on `disk`.");
    SEARCH_WAITING = Metric::gauge("backlinkd_search_builds_waiting", &[], "Search indexes that wait to be built.");
    SEARCH_DROPPED = Metric::counter("backlinkd_search_dropped_total", &["reason"], "Search index jobs dropped: builds without a client (`abandoned`), builds (`displaced`) and writes (`unwritten`) beyond `search.max_waiting_builds`.");
    ANSWER_BYTES = Metric::gauge("backlinkd_answer_cache_bytes", &[], "Bytes of the response cache.");
    REQUESTS = Metric::counter("backlinkd_http_requests_total", &["endpoint", "status"], "Requests answered; status 0 covers all statuses without a count of their own.");
    TIMES = Metric::histogram("backlinkd_http_request_seconds", &["endpoint"], "Time from a request's head to the first byte of its response.");
    CONNECTIONS = Metric::gauge("backlinkd_http_connections", &[], "Connections of clients that are open.");
    CUTS = Metric::counter("backlinkd_http_cut_total", &["reason"], "Clients refused or cut off, by reason: no place (`connections`, `address`, `files`), `displaced` by a new connection, a timeout (`head`, `body`, `idle`, `write`, `request`), no `memory` for an unread response, or a `panic`.");
    QUERIES = Metric::gauge("backlinkd_http_queries", &["state"], "Queries by state: `running`, `long` (a part of `running`), `waiting`.");
    REFUSED = Metric::counter("backlinkd_http_refused_queries_total", &["reason"], "Queries answered with 503 so that others are served: by a full `queue`, or stopped because they took `long`.");
    LOGINS = Metric::counter("backlinkd_http_logins_total", &["outcome"], "Password checks that the credential cache did not answer, by outcome: `right`, `wrong`, `limited` by `api.login_limit_per_second`, or `refused` by a full queue.");
    HELD = Metric::gauge("backlinkd_http_answer_bytes", &[], "Bytes of all responses in memory, cached ones included: see `api.answer_memory_bytes`.");
    CPU = Metric::counter("process_cpu_seconds_total", &[], "User and system time of the process.");
    RESIDENT = Metric::gauge("process_resident_memory_bytes", &[], "Bytes of memory in RAM.");
    OPEN_FILES = Metric::gauge("process_open_fds", &[], "Files, sockets and pipes open.");
    MAX_FILES = Metric::gauge("process_max_fds", &[], "Limit of open files.");
}

/// Writes the text of all metrics.
///
/// # Errors
/// [`StoreError`] when the database cannot be read.
pub fn render(
    store: &Store,
    searches: &SearchIndexes,
    activity: &ProcessActivity,
    api: &ApiMetrics,
) -> Result<String, StoreError> {
    let mut exposition = Exposition::default();
    exposition.add_sample(&BUILD, &[env!("CARGO_PKG_VERSION")], 1u64);
    if let Some(progress) = activity.crawl() {
        add_crawl(&mut exposition, &progress.figures());
        exposition.add_sample(&PAUSED_BY_OPERATOR, &[], progress.is_paused_by_operator());
        for failed in progress.failed_requests() {
            exposition.add_sample(&FAILED, &[failed.resource.as_str(), &failed.kind], failed.count);
        }
    }
    exposition.add_sample(&SEEN, &["known"], store.seen_urls());
    exposition.add_sample(&SEEN, &["met"], store.unmerged_urls() as u64);
    add_store(&mut exposition, &store.metrics()?);
    add_ranking(&mut exposition, activity);
    add_search(&mut exposition, searches.metrics());
    add_api(&mut exposition, api);
    add_process(&mut exposition, ProcessMetrics::read());
    Ok(exposition.into_text())
}

fn add_crawl(exposition: &mut Exposition, figures: &Figures) {
    exposition.add_sample(&FETCHES, &["answered"], figures.answered);
    for (kind, count) in FailureKind::ALL.iter().zip(figures.failures) {
        exposition.add_sample(&FETCHES, &[kind.as_str()], count);
    }
    exposition.add_sample(&LEFT_OUT, &["robots"], figures.disallowed);
    exposition.add_sample(&LEFT_OUT, &["block-list"], figures.blocked);
    exposition.add_sample(&LEFT_OUT, &["trap"], figures.trapped);
    exposition.add_sample(&UNCHANGED, &[], figures.unchanged);
    exposition.add_sample(&DROPPED_FIELDS, &[], figures.dropped_fields);
    exposition.add_sample(&COPIES, &[], figures.duplicates);
    exposition.add_sample(&FILES_READ, &["robots.txt"], figures.robots);
    exposition.add_sample(&FILES_READ, &["sitemap"], figures.sitemaps);
    exposition.add_sample(&LINKS_MET, &[], figures.links);
    exposition.add_sample(&BODY_BYTES, &["wire"], figures.wire_bytes);
    exposition.add_sample(&BODY_BYTES, &["decoded"], figures.body_bytes);
    exposition.add_sample(&STAGE_CPU, &["parse"], figures.parse_cpu_ms as f64 / 1e3);
    exposition.add_sample(&STAGE_CPU, &["store"], figures.store_cpu_ms as f64 / 1e3);
    exposition.add_sample(&STAGE_CPU, &["merge"], figures.merge_cpu_ms as f64 / 1e3);
    exposition.add_sample(&MERGES, &[], figures.merges);
    exposition.add_sample(&UNSTORED, &[], figures.unstored);
    exposition.add_sample(&CHECKED, &["equal"], figures.checked.saturating_sub(figures.differing));
    exposition.add_sample(&CHECKED, &["different"], figures.differing);
    exposition.add_sample(&DAMAGED, &[], figures.damaged);
    exposition.add_sample(&READY, &[], figures.ready_addresses);
    exposition.add_sample(&UNDER_WAY, &[], figures.in_flight);
    exposition.add_sample(&SLOW_FETCHES, &[], figures.slow);
    exposition.add_sample(&THROTTLED_HOSTS, &[], figures.throttled);
    exposition.add_sample(&CRAWL_MEMORY, &[], figures.memory_bytes);
    exposition.add_sample(&CRAWL_MEMORY_WAITS, &[], figures.memory_waits);
    exposition.add_sample(&HOSTS, &[], figures.queues);
    exposition.add_sample(&PAUSED, &[], figures.paused);
}

fn add_store(exposition: &mut Exposition, figures: &StoreMetrics) {
    exposition.add_sample(&INDEX_PAGES, &["visited"], figures.visited);
    exposition.add_sample(&INDEX_PAGES, &["html"], figures.html_pages);
    exposition.add_sample(&INDEX_LINKS, &["active"], figures.links);
    exposition.add_sample(&INDEX_LINKS, &["backlink"], figures.backlinks);
    exposition.add_sample(&INDEX_LINKS, &["former"], figures.lost_links);
    exposition.add_sample(&CHANGES, &[], figures.change_number);
    type ReadFamily = fn(&FamilyMetrics) -> u64;
    let of_families: [(&Metric, ReadFamily); 5] = [
        (&KEYS, |family| family.keys),
        (&FILE_BYTES, |family| family.file_bytes),
        (&FILES, |family| family.files),
        (&MEMTABLES, |family| family.memtable_bytes),
        (&PENDING, |family| family.pending_compaction_bytes),
    ];
    for (metric, number) in of_families {
        for family in &figures.families {
            exposition.add_sample(metric, &[family.name], number(family));
        }
    }
    exposition.add_sample(&CACHE_BYTES, &[], figures.block_cache_bytes);
    exposition.add_sample(&CACHE_CAPACITY, &[], figures.block_cache_capacity_bytes);
    exposition.add_sample(&JOBS, &["compaction"], figures.compactions);
    exposition.add_sample(&JOBS, &["flush"], figures.flushes);
    exposition.add_sample(&STOPPED, &[], figures.writes_stopped);
    exposition.add_sample(&RANK_GENERATION, &[], u64::from(figures.rank_generation));
}

fn add_ranking(exposition: &mut Exposition, activity: &ProcessActivity) {
    if let Some(ranking) = activity.last_ranking() {
        if let Some(took) = ranking.took {
            exposition.add_sample(&RANK_SECONDS, &[], took.as_secs_f64());
        }
        let ended = ranking.ended.duration_since(UNIX_EPOCH).unwrap_or_default();
        exposition.add_sample(&RANK_TIME, &[], ended.as_secs());
    }
    exposition.add_sample(&RANK_FAILURES, &[], activity.failed_rankings());
}

fn add_search(exposition: &mut Exposition, figures: IndexMetrics) {
    exposition.add_sample(&SEARCH_BYTES, &["memory"], figures.memory_bytes as u64);
    exposition.add_sample(&SEARCH_BYTES, &["disk"], figures.disk_bytes as u64);
    exposition.add_sample(&SEARCH_ENTRIES, &["memory"], figures.memory_entries as u64);
    exposition.add_sample(&SEARCH_ENTRIES, &["disk"], figures.disk_files as u64);
    exposition.add_sample(&SEARCH_WAITING, &[], figures.builds_waiting as u64);
    exposition.add_sample(&SEARCH_DROPPED, &["abandoned"], figures.builds_abandoned);
    exposition.add_sample(&SEARCH_DROPPED, &["displaced"], figures.builds_displaced);
    exposition.add_sample(&SEARCH_DROPPED, &["unwritten"], figures.writes_dropped);
}

fn add_api(exposition: &mut Exposition, api: &ApiMetrics) {
    exposition.add_sample(&ANSWER_BYTES, &[], api.cached_bytes);
    for (endpoint, status, count) in api.requests.counts() {
        exposition.add_sample(&REQUESTS, &[endpoint, &status.to_string()], count);
    }
    for (endpoint, times) in api.requests.times() {
        exposition.add_histogram(&TIMES, &[endpoint], &times);
    }
    exposition.add_sample(&CONNECTIONS, &[], api.connections as u64);
    for (reason, count) in &api.cuts {
        exposition.add_sample(&CUTS, &[reason], *count);
    }
    let queries = api.queries;
    exposition.add_sample(&QUERIES, &["running"], queries.running as u64);
    exposition.add_sample(&QUERIES, &["long"], queries.long as u64);
    exposition.add_sample(&QUERIES, &["waiting"], queries.waiting as u64);
    exposition.add_sample(&REFUSED, &["queue"], queries.refused);
    exposition.add_sample(&REFUSED, &["long"], queries.stopped);
    for (outcome, count) in api.logins {
        exposition.add_sample(&LOGINS, &[outcome], count);
    }
    exposition.add_sample(&HELD, &[], api.response_bytes);
}

fn add_process(exposition: &mut Exposition, figures: ProcessMetrics) {
    exposition.add_sample(&CPU, &[], figures.cpu.as_secs_f64());
    for (metric, number) in [
        (&RESIDENT, figures.resident_bytes),
        (&OPEN_FILES, figures.open_files),
        (&MAX_FILES, figures.max_open_files),
    ] {
        if let Some(number) = number {
            exposition.add_sample(metric, &[], number);
        }
    }
}
