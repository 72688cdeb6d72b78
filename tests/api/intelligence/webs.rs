//! Every answer on every test web: generated visits, a crawled web that changed, and the demo.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use backlinkd::config::{RankConfig, Span};
use backlinkd::crawl::CrawlJob;
use backlinkd::demo::{DemoOptions, run};
use backlinkd::rank::rank_all;
use serde_json::Value;

use super::super::answers::publish_ranks;
use super::super::server::Server;
use super::varied::{lost_days, reasons, states, varied};
use super::{Web, domains};
use crate::pipeline::{Site, job, random_web, seeds};

const SCOPES: &[&str] = &[
    "example.com",
    "www.example.com",
    "example-shop.com",
    "a.co.uk",
    "b.github.io",
    "192.0.2.7",
    "http://example.com/",
    "example.com/",
    "https://www.example.com/a/b?q=1",
    "example.com:8080",
    "uni.edu.au",
    "bücher.example",
    "unknown.example",
];

const MORE: &[&str] = &["", "&internal=exclude", "&scope=host", "&scope=url", "&scope=domain"];

#[test]
fn every_answer_about_visits_equals_the_slow_computation() {
    let (mut ends, mut found) = (BTreeSet::new(), BTreeSet::new());
    for seed in 61..=63 {
        let records = varied(seed, 500);
        let server = Server::start(&records);
        publish_ranks(&server, &records);
        let web = Web::new(&server.client, &server.store);
        let replayed = states(&records);
        assert_eq!(web.states, replayed);
        let (lost, reasons) = (lost_days(&records), reasons(&records));
        let mut met = 0;
        for scope in SCOPES {
            for more in MORE {
                met += web.agree_on_scope(scope, more);
                web.agree_on_competitors(scope, more);
            }
            for link in web.exported(scope, "") {
                let text = |key: &str| link[key].as_str().unwrap().to_owned();
                let day = lost.get(&(text("backlinkpage"), text("linktarget")));
                assert_eq!(link.get("lostDate").and_then(Value::as_str), day.map(String::as_str), "{link}");
                let reason = day.map(|_| reasons[&text("backlinkpage")]);
                assert_eq!(link.get("reason").and_then(Value::as_str), reason, "{link}");
                found.extend(reason);
            }
        }
        assert!(met > 2_000, "{met}");
        assert_intersections(&web);
        ends.extend(assert_chains(&web));
    }
    assert_eq!(ends.len(), 3, "{ends:?}");
    assert_eq!(found, BTreeSet::from(["", "gone", "redirected", "removed"]));
}

fn assert_intersections(web: &Web<'_>) {
    let mut found = 0;
    for targets in [
        &["example.com", "example.org"][..],
        &["example.com", "a.co.uk", "uni.edu.au"],
        &["http://example.com/", "example.com/a", "www.example.com"],
        &["example.com", "example.com"],
        &["example.com:8080", "192.0.2.7", "b.github.io", "c.github.io"],
        &["example.com", "unknown.example"],
    ] {
        for exclude in [&[][..], &["school.edu"], &["http://b.github.io/", "unknown.example"], &targets[..1]]
        {
            for more in ["", "&internal=exclude", "&scope=host", "&scope=domain"] {
                found += web.agree_on_intersection(targets, exclude, more);
            }
        }
    }
    assert!(found > 100, "{found}");
}

/// Follows every page, and URLs without a scheme; returns the ends of the chains.
fn assert_chains(web: &Web<'_>) -> BTreeSet<String> {
    let urls: Vec<String> = web.states.keys().cloned().collect();
    let mut ends = BTreeSet::new();
    for url in &urls {
        let bare = url.split_once("://").unwrap().1;
        for asked in [url, bare] {
            let rows = web.agree_on_chain(asked);
            ends.extend(rows.iter().map(|row| row["end"].as_str().unwrap().to_owned()));
        }
    }
    assert!(web.agree_on_chain("http://unknown.example/").len() == 1);
    assert!(web.agree_on_chain("unknown.example/x").len() == 1);
    ends.remove("");
    ends
}

/// A web on loopback, crawled, changed, and crawled again.
#[test]
fn every_answer_about_a_crawled_web_equals_the_slow_computation() {
    let (before, after) = (random_web(71), random_web(72));
    let mut site = Site::of(&before);
    site.config.crawl.recrawl_after = Span::default();
    let crawl = |site: &Site, job: &CrawlJob| site.crawl(job, &AtomicBool::new(false));
    crawl(&site, &job(&seeds()));
    *site.pages.lock().unwrap() = after.pages.clone();
    crawl(&site, &job(&seeds()));
    rank_all(&site.store, &RankConfig::default(), site.store.suffixes(), &|_| {}).unwrap();
    let server = Server::of(&site.store);
    let web = Web::new(&server.client, &site.store);
    agree_on_everything(&web);
}

#[test]
fn every_answer_about_the_demo_equals_the_slow_computation() {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let data = folder.path().join("demo");
    let options = DemoOptions { listen: ([127, 0, 0, 1], 0).into(), once: true, data: Some(data.clone()) };
    run(&options, &mut Vec::new(), &Arc::new(AtomicBool::new(false))).unwrap();
    std::fs::rename(data.join("index"), folder.path().join("data")).unwrap();
    let server = Server::over(folder);
    let web = Web::new(&server.client, &server.store);
    agree_on_everything(&web);
}

fn agree_on_everything(web: &Web<'_>) {
    let mut met = 0;
    let names: Vec<String> = domains(web.store).into_iter().collect();
    let urls = web.states.keys().map(String::as_str).step_by(7);
    for scope in names.iter().map(String::as_str).chain(urls) {
        for more in ["", "&internal=exclude", "&scope=host"] {
            met += web.agree_on_scope(scope, more);
            web.agree_on_competitors(scope, more);
        }
    }
    assert!(met > 100, "{met}");
    for pair in names.windows(2) {
        web.agree_on_intersection(&[&pair[0], &pair[1]], &[], "");
        web.agree_on_intersection(&[&pair[0], &pair[1]], &[&names[0]], "&internal=exclude");
    }
    assert!(assert_chains(web).contains("reached"));
}
