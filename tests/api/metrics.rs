//! `/metrics`: parsed by an independent parser of the exposition format, written from its specification, and by
//! Prometheus' own if installed.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::{Command, Stdio};

use backlinkd::api::{AuthPolicy, hash_password};
use backlinkd::config::ApiConfig;
use backlinkd::metrics::METRICS;
use backlinkd::store::COLUMN_FAMILIES;

use super::client::Client;
use super::server::Server;
use super::web;

/// Metric name and labels of a sample.
type Series = (String, BTreeMap<String, String>);

/// The content of an exposition, validated during parsing.
#[derive(Debug, Default)]
struct Scrape {
    /// Kinds, by name.
    kinds: BTreeMap<String, String>,
    samples: BTreeMap<Series, f64>,
}

impl Scrape {
    fn read(text: &str) -> Self {
        assert!(text.ends_with('\n'), "the last line ends as well");
        let mut scrape = Self::default();
        let (mut helped, mut current) = (BTreeSet::new(), String::new());
        for line in text.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, _) = help.split_once(' ').unwrap();
                assert!(helped.insert(name.to_owned()), "one group for each metric: {line}");
                current = name.to_owned();
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').unwrap();
                assert_eq!(name, current, "{line}");
                assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
                scrape.kinds.insert(name.to_owned(), kind.to_owned());
            } else {
                let (series, number) = sample(line);
                let name = series.0.as_str();
                let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
                let is_histogram = scrape.kinds[&current] == "histogram";
                assert_eq!(if is_histogram { base.unwrap() } else { name }, current, "{line}");
                assert!(scrape.samples.insert(series, number).is_none(), "twice: {line}");
            }
        }
        scrape.histograms_add_up();
        scrape
    }

    fn get(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.samples.get(&(name.to_owned(), labels)).copied()
    }

    fn histograms_add_up(&self) {
        let mut last: BTreeMap<Series, (f64, f64)> = BTreeMap::new();
        let mut buckets: Vec<(Series, f64, f64)> = Vec::new();
        for ((name, labels), count) in &self.samples {
            if let (Some(base), Some(bound)) = (name.strip_suffix("_bucket"), labels.get("le")) {
                let mut labels = labels.clone();
                let bound = if bound == "+Inf" { f64::INFINITY } else { bound.parse().unwrap() };
                labels.remove("le");
                buckets.push(((base.to_owned(), labels), bound, *count));
            }
        }
        buckets.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        for (series, bound, count) in buckets {
            let before = last.insert(series, (bound, count)).map_or(0.0, |(_, count)| count);
            assert!(before <= count, "buckets are cumulated");
        }
        for ((base, labels), (bound, count)) in last {
            assert_eq!(bound, f64::INFINITY);
            assert_eq!(self.samples[&(format!("{base}_count"), labels.clone())], count);
            assert!(self.samples.contains_key(&(format!("{base}_sum"), labels)));
        }
    }
}

/// `name{label="value",…} number`.
fn sample(line: &str) -> (Series, f64) {
    let end = line.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':')).unwrap();
    let (name, mut rest) = line.split_at(end);
    assert!(name.starts_with(|c: char| !c.is_ascii_digit()) && !name.is_empty(), "{line}");
    let mut labels = BTreeMap::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        while !rest.starts_with('}') {
            let (label, after) = rest.split_once("=\"").unwrap();
            assert!(label.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{line}");
            let mut value = String::new();
            let mut characters = after.char_indices();
            let end = loop {
                match characters.next().unwrap() {
                    (at, '"') => break at,
                    (_, '\\') => value.push(match characters.next().unwrap().1 {
                        'n' => '\n',
                        escaped @ ('\\' | '"') => escaped,
                        other => panic!("\\{other} in {line}"),
                    }),
                    (_, other) => value.push(other),
                }
            };
            assert!(labels.insert(label.to_owned(), value).is_none(), "{line}");
            rest = &after[end + 1..];
            rest = rest.strip_prefix(',').unwrap_or(rest);
        }
        rest = &rest[1..];
    }
    ((name.to_owned(), labels), rest.strip_prefix(' ').unwrap().parse().unwrap())
}

fn scrape(client: &Client) -> Scrape {
    let reply = client.get("/metrics");
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    Scrape::read(&reply.text())
}

#[test]
fn metrics_count_the_store_and_the_requests() {
    let server = Server::start(&web::random(7, 60));
    let stats = server.store.stats().unwrap();
    for (target, times) in [("/anabacklinks?url=example.com", 3), ("/backlinks?limit=x", 2), ("/what", 1)] {
        (0..times).for_each(|_| drop(server.client.get(target)));
    }
    scrape(&server.client);
    let found = scrape(&server.client);
    for (name, labels, expected) in [
        ("backlinkd_index_pages", &[("kind", "visited")][..], stats.visited),
        ("backlinkd_index_pages", &[("kind", "html")], stats.html_pages),
        ("backlinkd_index_links", &[("kind", "active")], stats.links),
        ("backlinkd_index_links", &[("kind", "backlink")], stats.backlinks),
        ("backlinkd_index_links", &[("kind", "former")], stats.lost_links),
        ("backlinkd_store_changes_total", &[], server.store.change_number()),
        ("backlinkd_store_writes_stopped", &[], 0),
        ("backlinkd_rank_failures_total", &[], 0),
        ("backlinkd_http_requests_total", &[("endpoint", "anabacklinks"), ("status", "200")], 3),
        ("backlinkd_http_requests_total", &[("endpoint", "backlinks"), ("status", "400")], 2),
        ("backlinkd_http_requests_total", &[("endpoint", "unknown"), ("status", "404")], 1),
        ("backlinkd_http_requests_total", &[("endpoint", "metrics"), ("status", "200")], 1),
        ("backlinkd_http_request_seconds_count", &[("endpoint", "anabacklinks")], 3),
        ("backlinkd_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1),
    ] {
        assert_eq!(found.get(name, labels), Some(expected as f64), "{name} {labels:?}");
    }
    let families = |name: &str| {
        let of = found.samples.keys().filter(|(known, _)| known == name);
        of.map(|(_, labels)| labels["family"].clone()).collect::<BTreeSet<String>>()
    };
    let all: BTreeSet<String> = COLUMN_FAMILIES.iter().map(|name| (*name).to_owned()).collect();
    for name in ["keys", "file_bytes", "files", "memtable_bytes", "pending_compaction_bytes"] {
        assert_eq!(families(&format!("backlinkd_store_{name}")), all, "{name}");
    }
    let keys = found.get("backlinkd_store_keys", &[("family", "pages")]).unwrap();
    assert!((stats.visited as f64..=4.0 * stats.visited as f64).contains(&keys), "an estimate: {keys}");
    assert!(found.get("process_resident_memory_bytes", &[]).unwrap() > 1e6);
    assert!(found.get("process_cpu_seconds_total", &[]).unwrap() > 0.0);
    assert!(found.get("process_open_fds", &[]).unwrap() < found.get("process_max_fds", &[]).unwrap());
    // A server without a crawl has no crawl metrics.
    assert!(!found.kinds.contains_key("backlinkd_fetches_total"));
    for (name, kind) in &found.kinds {
        let declared = METRICS.iter().find(|metric| metric.name == name).unwrap();
        assert_eq!(declared.kind.as_str(), kind);
    }
}

#[test]
fn metric_names_are_unique_and_counters_end_in_total() {
    for metric in METRICS {
        assert_eq!(metric.name.ends_with("_total"), metric.kind.as_str() == "counter", "{}", metric.name);
        let is_plain = metric.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        assert!(is_plain && metric.help.ends_with('.'), "{}", metric.name);
    }
    let names: BTreeSet<&str> = METRICS.iter().map(|metric| metric.name).collect();
    assert_eq!(names.len(), METRICS.len());
}

#[test]
fn metrics_need_credentials_unless_they_are_open() {
    for (metrics_open, expected) in [(false, 401), (true, 200)] {
        let config = ApiConfig { metrics_open, ..ApiConfig::default() };
        let server = Server::start_with(&[], config, AuthPolicy::Users);
        server.store.put_user("user", &hash_password("secret").unwrap()).unwrap();
        assert_eq!(server.client.get("/metrics").status, expected);
        assert_eq!(server.client.get("/").status, 401);
        let user = Client::with_user(server.client.address, "user", "secret");
        assert_eq!(user.get("/metrics").status, 200);
        let refused = user.send("POST", "/metrics", &[], b"");
        assert_eq!((refused.status, refused.header("allow")), (405, Some("GET, HEAD")));
        assert_eq!(user.send("HEAD", "/metrics", &[], b"").body, b"");
    }
}

#[test]
fn the_parser_of_prometheus_accepts_the_metrics() {
    let python = |script: &str| {
        let mut command = Command::new("python3");
        command.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        command
    };
    if !python("import prometheus_client").status().is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: the Python package prometheus_client is absent");
        return;
    }
    let server = Server::start(&web::random(7, 60));
    let text = server.client.get("/metrics").text();
    let script = "import sys; from prometheus_client.parser import text_string_to_metric_families as read\n\
                  print(sum(len(family.samples) for family in read(sys.stdin.read())))";
    let mut child = python(script).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let count: usize = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
    assert_eq!(count, Scrape::read(&text).samples.len());
}
