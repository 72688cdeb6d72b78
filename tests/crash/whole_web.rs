//! Kills the program twenty times while it crawls the whole test web. The log of the web's servers shows the requests.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use backlinkd::model::DiscoveredUrl;
use backlinkd::store::{Commit, Findings, Stats, Store};
use backlinkd::urls::UrlRules;
use serde_json::Value;

use super::{KILLS, dice, page, verify};
use crate::support::test_web::TestWeb;
use crate::support::true_links::lines;

/// The next kill comes after this part of the log of an undisturbed crawl, at the latest. A kill comes after half of
/// that on average, so twenty kills are over before the crawl is.
const PART: u64 = 16;
/// The longest time that a server takes to log a request whose client was killed.
const LOG_DELAY: Duration = Duration::from_millis(300);

fn size(file: &Path) -> u64 {
    std::fs::metadata(file).unwrap().len()
}

/// The requested pages in the log from this byte on: those whose URLs the index has under the same name.
fn asked(log: &Path, from: u64, index: &Store) -> Vec<String> {
    let mut text = String::new();
    let mut file = std::fs::File::open(log).unwrap();
    file.seek(SeekFrom::Start(from)).unwrap();
    file.read_to_string(&mut text).unwrap();
    let (rules, snapshot) = (UrlRules::default(), index.snapshot());
    let url = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        let word = |name: &str| row[name].as_str().unwrap().to_owned();
        let url = format!("{}://{}{}", word("scheme"), word("host"), word("path"));
        let known = rules.canonical(&url).is_ok_and(|url| snapshot.page(&url).unwrap().is_some());
        known.then_some(url)
    };
    text.lines().filter_map(url).collect()
}

fn assert_equal(here: &Store, there: &Store) {
    let (here_stats, there_stats) = (here.stats().unwrap(), there.stats().unwrap());
    let (here, there) = (here.snapshot(), there.snapshot());
    let mut rows = (here.graph().map(page), there.graph().map(page));
    loop {
        let (row, other) = (rows.0.next(), rows.1.next());
        assert_eq!(row, other);
        if row.is_none() {
            break;
        }
    }
    let figures = |stats: &Stats| {
        (stats.visited, stats.html_pages, stats.links, stats.backlinks, stats.lost_links, stats.queued)
    };
    assert_eq!(figures(&here_stats), figures(&there_stats));
}

#[test]
fn twenty_kills_do_not_change_the_index_of_the_whole_test_web() {
    let Some(truth) = lines() else { return };
    let Some(mut web) = TestWeb::serve(truth, Duration::ZERO) else { return };
    // Fewer fetchers than by default, so that the fetches in flight are a small part of the crawl.
    web.config.crawl.store_queue = 64;
    let start = Instant::now();
    let undisturbed = web.open("undisturbed");
    let figures = web.crawl(&undisturbed);
    let (log, whole) = (web.log(), size(&web.log()));
    eprintln!("undisturbed after {:?}: {figures:?}", start.elapsed());
    // With too many copies, the order of visits would decide which of them are followed.
    assert_eq!(figures.duplicates, 0);
    let pages = asked(&log, 0, &undisturbed);

    let found = web.seeds().into_iter().map(DiscoveredUrl::seed).collect();
    web.open("killed").commit(Commit { discovered: found, ..Commit::default() }).unwrap();
    let config = web.folder.path().join("backlinkd.toml");
    std::fs::write(&config, toml::to_string(&web.config).unwrap()).unwrap();
    let program = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_backlinkd"));
        command.arg("--config").arg(&config).arg("--data").arg(web.folder.path().join("killed"));
        command.args(["crawl", "--quiet", "--no-rank"]).stdout(Stdio::null());
        command
    };
    let mut dice = dice();
    // The number of fetches in flight at the kills: requested, and not stored.
    let mut in_flight: BTreeMap<String, usize> = BTreeMap::new();
    for kill in 0..KILLS {
        let from = size(&log);
        let (until, moment) = (from + dice.below(whole / PART), Duration::from_micros(dice.below(50_000)));
        let mut child = program().spawn().unwrap();
        while size(&log) < until && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(moment);
        assert!(child.try_wait().unwrap().is_none(), "the crawl was over before kill {kill}");
        child.kill().unwrap();
        child.wait().unwrap();
        std::thread::sleep(LOG_DELAY);
        let store = web.open("killed");
        let (rules, snapshot) = (UrlRules::default(), store.snapshot());
        let is_stored = |url: &String| snapshot.page(&rules.canonical(url).unwrap()).unwrap().is_some();
        let lost: BTreeSet<String> =
            asked(&log, from, &undisturbed).into_iter().filter(|url| !is_stored(url)).collect();
        let most = web.config.crawl.fetchers + web.config.crawl.store_queue;
        assert!(lost.len() <= most, "{} pages were in flight at kill {kill}", lost.len());
        lost.into_iter().for_each(|url| *in_flight.entry(url).or_default() += 1);
        if kill % 5 == 0 {
            assert_eq!(verify(&store), Findings::default(), "after kill {kill}");
        }
    }
    assert!(program().status().unwrap().success());
    eprintln!("killed and ended after {:?}", start.elapsed());

    let store = web.open("killed");
    assert_equal(&store, &undisturbed);
    assert_eq!(verify(&store), Findings::default());
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    asked(&log, whole, &undisturbed).into_iter().for_each(|url| *times.entry(url).or_default() += 1);
    let requests: usize = times.values().sum();
    let again: usize = in_flight.values().sum();
    eprintln!("{requests} requests for {} pages; {again} had been in flight", times.len());
    for (url, times) in &times {
        assert!(*times <= 1 + in_flight.get(url).unwrap_or(&0), "{url} was asked for {times} times");
    }
    assert_eq!(times.into_keys().collect::<BTreeSet<_>>(), pages.into_iter().collect());
}
