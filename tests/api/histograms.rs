//! Histograms, compared with the stored visits.

use std::sync::atomic::{AtomicU32, Ordering};

use backlinkd::model::{Day, VisitRecord};
use backlinkd::urls::Suffixes;
use serde_json::{Value, json};

use super::client::Client;
use super::oracle::history::History;
use super::server::Server;
use super::web::{DAY, LEAP_DAY, later, link, page, random_without_repeats};

fn get(client: &Client, endpoint: &str, query: &str) -> Value {
    let answer = client.json(&format!("/{endpoint}-histogram?url={query}"));
    let rows = answer["response"].as_array().unwrap();
    assert_eq!(answer["count"], rows.len());
    assert_eq!(answer["calendar"], rows.iter().map(|row| row["date"].clone()).collect::<Value>());
    answer["response"].clone()
}

#[test]
fn histograms_equal_the_computation_from_the_visits() {
    let suffixes = Suffixes::built_in().unwrap();
    let mut back = 0;
    for seed in 31..=34 {
        // Many visits to few pages, so that links are lost and return.
        let records = random_without_repeats(seed, 900);
        let history = History::of(&records, &suffixes);
        let server = Server::start(&records);
        for (scope, host) in
            [("example.com", None), ("www.example.com", Some("www.example.com")), ("a.co.uk", None)]
        {
            let holds = |target: &str| match host {
                Some(host) => target == host,
                None => suffixes.domain_of(target) == scope,
            };
            let (seen, changes) = history.rows(holds);
            let since = format!("{scope}&from=20240101");
            assert_eq!(get(&server.client, "backlinks", &since), json!(seen), "{scope}");
            assert_eq!(get(&server.client, "newandlost", &since), json!(changes), "{scope}");
            assert!(seen.len() > 10 && changes.len() > 20, "{} {}", seen.len(), changes.len());
            agree_on_domains(&server.client, scope, &history, holds, &changes);
            let sum = |rows: &[Value], path: &str| -> u64 {
                rows.iter().map(|row| row.pointer(path).unwrap().as_u64().unwrap()).sum()
            };
            back += sum(&changes, "/urls/new") - sum(&seen, "/urls");
            let active = sum(&changes, "/urls/new") - sum(&changes, "/urls/lost");
            let domains = sum(&changes, "/domains/new") - sum(&changes, "/domains/lost");
            let short = server.client.json(&format!("/anaurls?urls[]={scope}"))["response"][0].clone();
            assert_eq!(
                (&short["backlinks"], &short["refdoms"]),
                (&json!(active), &json!(domains)),
                "{scope}"
            );
        }
    }
    assert!(back > 20, "{back} links came back");
}

/// Compares the lists of new and lost domains with the visits, and with the domains that the histogram counts.
fn agree_on_domains(
    client: &Client,
    scope: &str,
    history: &History,
    holds: impl Fn(&str) -> bool,
    changes: &[Value],
) {
    for (endpoint, is_lost) in [("newdomains", false), ("lostdomains", true)] {
        let expected: Vec<Value> = history
            .domain_changes(&holds, is_lost)
            .into_iter()
            .map(|(day, domain, links)| json!([day.to_string(), domain, links]))
            .collect();
        let list = format!("/{endpoint}?url={scope}&limit=10000&order[]=domain&order[]=date");
        let answer = client.json(&format!("{list}&from=20240101"));
        let cells = |answer: &Value| -> Vec<Value> {
            let rows = answer["response"].as_array().unwrap().iter();
            rows.map(|row| json!([row["date"], row["domain"], row["links"]])).collect()
        };
        assert_eq!(cells(&answer), expected, "{list}");
        assert!((is_lost || expected.len() > 5) && answer.get("exportFinished").is_none(), "{list}");
        for change in changes {
            let day = &change["date"];
            let rows = client.json(&format!("{list}&from={day}&to={day}"));
            let counted = &change["domains"][if is_lost { "lost" } else { "new" }];
            assert_eq!(&rows["count"], counted, "{list} {day}");
        }
    }
}

#[test]
fn only_the_requested_days_are_listed_including_both_ends() {
    let suffixes = Suffixes::built_in().unwrap();
    let records = random_without_repeats(35, 400);
    let (_, changes) =
        History::of(&records, &suffixes).rows(|target| suffixes.domain_of(target) == "example.com");
    let server = Server::start(&records);
    let (from, to) = (changes[3]["date"].as_u64().unwrap(), changes[7]["date"].as_u64().unwrap());
    let part = get(&server.client, "newandlost", &format!("example.com&from={from}&to={to}"));
    assert_eq!(part, json!(changes[3..=7]));
    let one = get(&server.client, "newandlost", &format!("example.com&from={from}&to={from}"));
    assert_eq!(one, json!(changes[3..=3]));
    for nothing in ["example.com&from=19700101&to=20231231", "unknown.example&from=19700101"] {
        for endpoint in ["backlinks", "newandlost"] {
            assert_eq!(get(&server.client, endpoint, nothing), json!([]));
        }
    }
}

/// A day, its changes, and the number of active links at its end.
fn small_web() -> Vec<VisitRecord> {
    let visit = |page_of: &str, days: u64, links: &[&str]| {
        let links = links.iter().map(|target| link(target, "x")).collect();
        later(page(page_of, "192.0.2.1", "SE", links), days)
    };
    let (a, b) = ("http://target.example/a", "http://target.example/b");
    vec![
        visit("http://one.example/", 0, &[a, b]),
        visit("http://www.one.example/", 1, &[a]),
        visit("http://one.example/", 2, &[]),
        visit("http://www.one.example/", 3, &[]),
        visit("http://one.example/", 5, &[b]),
        // Seen and lost within a day.
        visit("http://two.example/", 5, &[a]),
        visit("http://two.example/", 5, &[]),
        // One link replaces another: the domain was never absent.
        visit("http://one.example/", 7, &[a]),
    ]
}

#[test]
fn histograms_of_a_small_web_equal_known_days() {
    let server = Server::start(&small_web());
    let change = |date: u32, urls: (u32, u32), domains: (u32, u32)| {
        json!({
            "date": date, "urls": { "new": urls.0, "lost": urls.1 },
            "domains": { "new": domains.0, "lost": domains.1 },
        })
    };
    assert_eq!(
        get(&server.client, "newandlost", "target.example&from=20240229&to=20240331"),
        json!([
            change(20_240_229, (2, 0), (1, 0)),
            change(20_240_301, (1, 0), (0, 0)),
            change(20_240_302, (0, 2), (0, 0)),
            change(20_240_303, (0, 1), (0, 1)),
            change(20_240_305, (2, 1), (2, 1)),
            change(20_240_307, (1, 1), (0, 0)),
        ])
    );
    let seen = |date: u32, urls: u32, domains: u32, active: (u32, u32)| {
        json!({
            "date": date, "urls": urls, "domains": domains, "totalUrls": active.0, "totalDomains": active.1,
        })
    };
    assert_eq!(
        get(&server.client, "backlinks", "target.example&from=20240229&to=20240331"),
        json!([
            seen(20_240_229, 2, 1, (2, 1)),
            seen(20_240_301, 1, 1, (3, 1)),
            seen(20_240_305, 1, 1, (1, 1)),
        ])
    );
}

#[test]
fn domains_of_a_small_web_come_and_go_on_known_days() {
    let server = Server::start(&small_web());
    let rows = |query: &str| -> Value {
        let answer = server.client.json(&format!("/{query}&url=target.example&from=20240229&to=20240331"));
        let rows = answer["response"].as_array().unwrap().iter();
        rows.map(|row| json!([row["domain"], row["date"], row["links"], row["sr"], row["ccode"]])).collect()
    };
    let (one, two) = ("one.example", "two.example");
    assert_eq!(
        rows("newdomains?"),
        json!([[one, "20240305", 1, 0, "SE"], [two, "20240305", 1, 0, "SE"], [one, "20240229", 2, 0, "SE"],])
    );
    assert_eq!(rows("lostdomains?"), json!([[two, "20240305", 1, 0, "SE"], [one, "20240303", 1, 0, "SE"]]));
    assert_eq!(
        rows("newdomains?where=links+gt+1+AND+ccode+eq+%27SE%27"),
        json!([[one, "20240229", 2, 0, "SE"]])
    );
    assert_eq!(rows("newdomains?where=domain+eq+%27two.example%27").as_array().unwrap().len(), 1);
    assert_eq!(
        rows("lostdomains?internal=exclude&order[]=date&limit=1"),
        json!([[one, "20240303", 1, 0, "SE"]])
    );
}

/// Of equally frequent countries the lowest is shown; an unknown one only if there is no other.
#[test]
fn a_new_domain_shows_the_country_of_most_of_its_new_links() {
    let visit = |at: &str, ccode: &str, targets: usize| {
        let links = (0..targets).map(|at| link(&format!("http://target.example/{at}"), "x")).collect();
        page(&format!("http://{at}"), "192.0.2.1", ccode, links)
    };
    let server = Server::start(&[
        visit("one.example/a", "SE", 2),
        visit("one.example/b", "DE", 2),
        visit("one.example/c", "", 5),
        later(visit("one.example/d", "SE", 5), 1),
        visit("two.example/", "", 1),
        visit("three.example/a", "SE", 2),
        visit("three.example/b", "DE", 1),
    ]);
    let answer = server.client.json("/newdomains?url=target.example&from=20240229&order[]=domain");
    let rows = answer["response"].as_array().unwrap().iter();
    let found: Value = rows.map(|row| json!([row["domain"], row["links"], row["ccode"]])).collect();
    assert_eq!(found, json!([["one.example", 9, "DE"], ["three.example", 3, "SE"], ["two.example", 1, ""]]));
}

/// Without `to` the range ends today: rows of tomorrow are not listed.
#[test]
fn the_range_ends_today() {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let today = (now - LEAP_DAY) / DAY;
    let visit = |page_of: &str, days: u64| {
        later(page(page_of, "192.0.2.1", "SE", vec![link("http://target.example/", "x")]), days)
    };
    let server =
        Server::start(&[visit("http://one.example/", today - 1), visit("http://two.example/", today + 2)]);
    let yesterday = Day::from_unix_seconds(LEAP_DAY + (today - 1) * DAY);
    let rows = get(&server.client, "backlinks", &format!("target.example&from={yesterday}"));
    assert_eq!(rows.as_array().unwrap().len(), 1, "{rows}");
    assert_eq!(rows[0]["date"], yesterday.as_number());
    let all = get(&server.client, "backlinks", &format!("target.example&from={yesterday}&to=21000101"));
    assert_eq!(all.as_array().unwrap().len(), 2);
}

/// Without `to` the range ends today, so an answer of yesterday is not served from the cache today.
#[test]
fn a_range_that_ends_today_is_computed_again_on_the_next_day() {
    static TODAY: AtomicU32 = AtomicU32::new(0);
    let server = Server::start_with_clock(&small_web(), || Day(TODAY.load(Ordering::Relaxed)));
    for endpoint in [
        "backlinks-histogram",
        "newandlost-histogram",
        "newbacklinks",
        "lostbacklinks",
        "newdomains",
        "lostdomains",
    ] {
        let target = format!("/{endpoint}?url=target.example&from=20240229");
        let answers = ["20240303", "20240307"].map(|day| {
            TODAY.store(Day::parse(day).unwrap().0, Ordering::Relaxed);
            let answer = server.client.json(&target);
            assert_eq!(answer, server.client.json(&format!("{target}&to={day}")), "{target}");
            answer
        });
        assert_ne!(answers[0], answers[1], "{target}");
    }
}
