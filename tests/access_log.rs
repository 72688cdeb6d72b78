//! Politeness as the servers see it: the whole test web is crawled with 64 fetchers, and the test evaluates the access
//! log of its servers. Another program's parser (Python's protego) decides which URLs the robots.txt files disallow.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use backlinkd::store::{Findings, VerifyOptions};
use serde_json::Value;

use crate::support::served_web::python;
use crate::support::test_web::TestWeb;
use crate::support::true_links::lines;

const DELAY: Duration = Duration::from_millis(20);
/// Time that the servers wait before each response with a page.
const LATENCY: Duration = Duration::from_millis(2);
/// Times in the log are rounded to a tenth of a millisecond: the sum of two times and a duration may be off by this.
const ROUNDING: f64 = 0.000_2;
/// Pages of a host at most, so that the largest hosts do not take minutes. `BACKLINKD_TEST_WHOLE` set: all pages.
const HOST_PAGES: u64 = 1_000;

/// Rows of the log that the other parser finds disallowed.
const JUDGE: &str = r"
import sys, json, pathlib
from protego import Protego
rules = {file.stem: Protego.parse(file.read_text()) for file in pathlib.Path(sys.argv[2]).glob('*.txt')}
asked = 0
for line in open(sys.argv[1]):
    row = json.loads(line)
    if row['host'] in rules and row['path'] != '/robots.txt':
        asked += 1
        url = row['scheme'] + '://' + row['host'] + row['path']
        if not rules[row['host']].can_fetch(url, 'mockbot'):
            print(url)
print('judged', asked)
";

/// One request, as the server logs it.
struct Asked {
    scheme: String,
    host: String,
    address: String,
    path: String,
    /// Unix times: the arrival of the request, and the completion of its response.
    start: f64,
    end: f64,
}

fn read(log: &Path) -> Vec<Asked> {
    let text = std::fs::read_to_string(log).unwrap();
    let asked = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        let word = |name: &str| row[name].as_str().unwrap().to_owned();
        let start = row["t"].as_f64().unwrap();
        Asked {
            scheme: word("scheme"),
            host: word("host"),
            address: word("addr"),
            path: word("path"),
            start,
            end: start + row["d"].as_f64().unwrap(),
        }
    };
    let mut asked: Vec<Asked> = text.lines().map(asked).collect();
    asked.sort_by(|a, b| a.start.total_cmp(&b.start));
    asked
}

/// The shortest times between the end of one request and the start of the next to the same host or address.
fn least_gap(asked: &[Asked], key: impl Fn(&Asked) -> &str) -> (f64, String) {
    let mut last: BTreeMap<&str, f64> = BTreeMap::new();
    let mut least = (f64::MAX, String::new());
    for one in asked {
        if let Some(end) = last.insert(key(one), one.end)
            && one.start - end < least.0
        {
            least = (one.start - end, format!("{} before {}{}", key(one), one.host, one.path));
        }
    }
    least
}

fn first_paths(asked: &[Asked]) -> BTreeMap<(&str, &str), &str> {
    let mut first = BTreeMap::new();
    for one in asked {
        first.entry((one.scheme.as_str(), one.host.as_str())).or_insert(one.path.as_str());
    }
    first
}

/// Disallowed URLs that were fetched, and the number of checked URLs. `None`, with a message, without the other parser.
fn forbidden(log: &Path, robots: &Path) -> Option<(Vec<String>, usize)> {
    let output = Command::new(python()?).args(["-c", JUDGE]).arg(log).arg(robots).output().unwrap();
    if String::from_utf8_lossy(&output.stderr).contains("No module named 'protego'") {
        eprintln!(
            "SKIPPED: robots.txt is judged by Python's protego; install it to have that part of the test"
        );
        return None;
    }
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut lines: Vec<String> =
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    let judged = lines.pop().unwrap();
    Some((lines, judged.strip_prefix("judged ").unwrap().parse().unwrap()))
}

#[test]
fn the_access_log_of_the_test_web_shows_a_polite_crawl() {
    let Some(truth) = lines() else { return };
    let Some(mut web) = TestWeb::serve(truth, LATENCY) else { return };
    let config = &mut web.config;
    config.crawl.delay.0 = DELAY;
    assert_eq!(config.crawl.fetchers, 64);
    if std::env::var_os("BACKLINKD_TEST_WHOLE").is_none() {
        config.crawl.host_pages = HOST_PAGES;
        config.crawl.pages_per_linking_domain = 0;
    }
    let store = web.open("data");
    let start = Instant::now();
    let figures = web.crawl(&store);
    eprintln!("{:?}: {figures:?}", start.elapsed());

    let asked = read(&web.log());
    assert!(asked.len() > 5_000 && figures.disallowed > 100, "{} requests, {figures:?}", asked.len());
    let least = DELAY.as_secs_f64() - ROUNDING;
    for (what, (gap, example)) in
        [("host", least_gap(&asked, |one| &one.host)), ("address", least_gap(&asked, |one| &one.address))]
    {
        eprintln!("{} requests; the shortest gap of a {what} is {gap:.4} s: {example}", asked.len());
        assert!(gap >= least, "{what}: {gap:.4} s: {example}");
    }
    for (server, path) in first_paths(&asked) {
        assert_eq!(path, "/robots.txt", "{server:?}");
    }
    if let Some((forbidden, judged)) = forbidden(&web.log(), &web.web.join("robots")) {
        assert_eq!(forbidden, [""; 0]);
        assert!(judged > 2_000, "{judged}");
    }
    let options = VerifyOptions {
        repair: false,
        memory_bytes: web.config.store.verify_memory_bytes,
        ..VerifyOptions::default()
    };
    assert_eq!(store.verify(options, &mut |_| {}).unwrap(), Findings::default());
}
