//! `/summary`, compared with the endpoints of its figures, with exports, and with the stored visits.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use backlinkd::api::AuthPolicy;
use backlinkd::config::{ApiConfig, SearchConfig, Span};
use backlinkd::model::{Day, VisitRecord};
use backlinkd::urls::Suffixes;
use serde_json::{Value, json};

use super::answers::publish_ranks;
use super::client::{Reply, encode};
use super::oracle::export;
use super::oracle::history::History;
use super::server::Server;
use super::sums::SCOPES;
use super::web::{DAY, LEAP_DAY, later, link, page, random, random_without_repeats};

/// The figures of other endpoints, under the names of the summary.
fn elsewhere(server: &Server, scope: &str, more: &str) -> Value {
    let get =
        |endpoint: &str| server.client.json(&format!("/{endpoint}?url={scope}{more}"))["response"].clone();
    let (types, schools, addresses) = (get("linktypes"), get("edugovlinks"), get("ippopularity")[0].clone());
    let school = |at: usize| json!({ "backlinks": schools[at]["links"], "refdoms": schools[at]["refdoms"] });
    let outgoing = get("outgoinglinkcount");
    let spread = get("linkspread");
    json!({
        "sr": get("sr")[0]["sr"],
        "backlinks": get("anabacklinks")[0]["backlinks"],
        "refdoms": get("domainpopularity")[0]["domainpopularity"],
        "followed": spread[0]["follow"], "nofollow": spread[1]["nofollow"],
        "text": types[0]["links"], "image": types[1]["links"],
        "homelinks": get("linkratio")[0]["homelinks"],
        "edu": school(0), "gov": school(1),
        "ips": addresses["ip"], "ipv6": addresses["ipv6"], "net24": addresses["net24"],
        "pages": outgoing[0]["pages"],
        "external": outgoing[1]["frequency"], "internal": outgoing[2]["frequency"],
    })
}

/// The figures that exported links give.
fn from_links(server: &Server, scope: &str) -> Value {
    let links = export(&server.client, "exportbacklinks", scope, 1_000);
    let active: Vec<&Value> = links.iter().filter(|link| link["active"] == true).collect();
    let countries: BTreeSet<&str> =
        active.iter().map(|link| link["ccode"].as_str().unwrap()).filter(|code| !code.is_empty()).collect();
    let first = links.iter().map(|link| link["insDate"].as_str().unwrap()).min();
    let last = active.iter().map(|link| link["updDate"].as_str().unwrap()).max();
    json!({
        "countries": countries.len(), "lost": links.len() - active.len(),
        "firstSeen": first.unwrap_or_default(), "lastSeen": last.unwrap_or_default(),
    })
}

fn assert_has(summary: &Value, figures: &Value, scope: &str) {
    for (name, figure) in figures.as_object().unwrap() {
        assert_eq!(&summary[name], figure, "{name} of {scope}: {summary}");
    }
}

#[test]
fn figures_equal_those_of_their_endpoints() {
    let (mut links, mut lost) = (0, 0);
    for seed in 51..=53 {
        let records = random(seed, 250);
        let server = Server::start(&records);
        publish_ranks(&server, &records);
        for scope in SCOPES {
            for more in ["", "&internal=exclude", "&scope=host"] {
                let summary = server.client.json(&format!("/summary?url={}{more}", encode(scope)));
                assert_eq!((&summary["exportFinished"], &summary["url"]), (&json!(true), &json!(scope)));
                assert_has(&summary, &elsewhere(&server, &encode(scope), more), scope);
                if more.is_empty() {
                    assert_has(&summary, &from_links(&server, scope), scope);
                    lost += summary["lost"].as_u64().unwrap();
                }
                links += summary["backlinks"].as_u64().unwrap();
            }
        }
    }
    assert!(links > 1_000 && lost > 20, "{links} {lost}");
}

#[test]
fn since_compares_with_the_end_of_a_day() {
    let suffixes = Suffixes::built_in().unwrap();
    let records = random_without_repeats(54, 600);
    let holds = |target: &str| suffixes.domain_of(target) == "example.com";
    let history = History::of(&records, &suffixes);
    let days: Vec<u32> =
        history.rows(holds).1.iter().map(|row| row["date"].as_u64().unwrap() as u32).collect();
    let server = Server::start(&records);
    for since in [20_000_101, days[0], days[days.len() / 2], *days.last().unwrap(), 20_991_231] {
        let summary = server.client.json(&format!("/summary?url=example.com&since={since}"));
        let then = history.steps(holds, &[(0, since)])[0].clone();
        let after = history.steps(holds, &[(since + 1, 99_991_231)])[0].clone();
        let expected = json!({
            "date": since.to_string(),
            "backlinks": then["backlinks"], "refdoms": then["refdoms"],
            "newBacklinks": after["newBacklinks"], "lostBacklinks": after["lostBacklinks"],
            "newRefdoms": after["newRefdoms"], "lostRefdoms": after["lostRefdoms"],
        });
        assert_eq!(summary["since"], expected);
    }
    let server = Server::start_with_clock(&records, || Day::from_unix_seconds(LEAP_DAY + 60 * DAY));
    let summary = server.client.json("/summary?url=example.com");
    assert_eq!(summary["since"]["date"], "20240330");
}

/// As a list, a summary may show an earlier state for `search.refresh`. It names that state.
#[test]
fn a_summary_names_the_earlier_state_that_it_shows() {
    const PATH: &str = "/summary?url=target.example&since=20240101";
    let one = page("http://one.example/", "192.0.2.1", "SE", vec![link("http://target.example/", "x")]);
    let two = page("http://two.example/", "192.0.2.2", "DE", vec![link("http://target.example/a", "y")]);
    let own = page("http://target.example/", "192.0.2.3", "DE", vec![]);
    let start = || {
        let records = std::slice::from_ref(&one);
        Server::start_refreshing(records, ApiConfig::default(), Span::seconds(60))
    };
    for record in [two, own] {
        let server = start();
        let first = server.client.json(PATH);
        server.store.put(&[later(record, 1)]).unwrap();
        assert_eq!(server.client.json(PATH), first, "the index is younger than a minute");
    }
    // A change elsewhere leaves the figures as they are, and the answer names the present state.
    let server = start();
    let first = server.client.json(PATH);
    server.store.put(&[page("http://else.example/", "192.0.2.3", "DE", vec![])]).unwrap();
    let second = server.client.json(PATH);
    assert_eq!(stateless(&second), stateless(&first));
    assert_eq!(second["asOf"]["change"], server.store.change_number());
    assert_ne!(second["asOf"]["change"], first["asOf"]["change"]);
    // A scope that was empty is not shown as empty.
    let server = Server::start_refreshing(&[], ApiConfig::default(), Span::seconds(60));
    assert_eq!(server.client.json(PATH)["known"], "unknown");
    server.store.put(&[one]).unwrap();
    let found = server.client.json(PATH);
    assert_eq!((&found["known"], &found["backlinks"]), (&json!("discovered"), &json!(1)));
}

#[test]
fn without_refresh_a_summary_is_of_the_present_state() {
    let one = page("http://one.example/", "192.0.2.1", "SE", vec![link("http://target.example/", "x")]);
    let server = Server::start(&[one]);
    let get = || server.client.json("/summary?url=target.example&since=20240101");
    let first = get();
    assert_eq!(
        (&first["backlinks"], &first["ips"], &first["known"]),
        (&json!(1), &json!(1), &json!("discovered"))
    );
    let more = page("http://two.example/", "192.0.2.2", "DE", vec![link("http://target.example/a", "y")]);
    server.store.put(&[later(more, 1)]).unwrap();
    let second = get();
    assert_eq!(second["exportFinished"], true);
    for (name, figure) in [("backlinks", 2), ("ips", 2), ("net24", 1), ("countries", 2)] {
        assert_eq!(second[name], figure, "{name}");
    }
    assert_eq!(second["since"]["newBacklinks"], 2);
    let change = |summary: &Value| summary["asOf"]["change"].as_u64().unwrap();
    assert!(change(&second) > change(&first), "{second}");
    let time = second["asOf"]["time"].as_str().unwrap();
    assert!(time.len() == 20 && time.starts_with("20") && time.ends_with('Z'), "{time}");
    let known = |url: &str| server.client.json(&format!("/summary?url={url}"))["known"].clone();
    assert_eq!((known("one.example"), known("unknown.example")), (json!("visited"), json!("unknown")));
}

/// The summary of an index that no commit changes, without the name of its state.
fn quiet(records: &[VisitRecord], path: &str) -> Value {
    stateless(&Server::start(records).client.json(path))
}

fn stateless(summary: &Value) -> Value {
    let mut summary = summary.clone();
    summary.as_object_mut().unwrap().remove("asOf");
    summary
}

/// Commits the records one by one while `read` is repeated. After every tenth record it waits until one more answer has
/// begun and ended, so that the answers are of several states on a slow machine too. Returns the answers, and the number
/// of records before each change number.
fn read_during_commits(
    server: &Server,
    records: &[VisitRecord],
    read: impl Fn() -> Value + Sync,
) -> (Vec<Value>, BTreeMap<u64, usize>) {
    let (mut commits, mut answers) = (BTreeMap::from([(server.store.change_number(), 0)]), Vec::new());
    let (ended, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut answers = vec![read()];
            while !ended.load(Ordering::Acquire) {
                answers.push(read());
                answered.fetch_add(1, Ordering::Release);
            }
            answers.push(read());
            answers
        });
        for (at, record) in records.iter().enumerate() {
            server.store.put(std::slice::from_ref(record)).unwrap();
            commits.insert(server.store.change_number(), at + 1);
            // The first answer to end may have begun before the commit.
            let enough = if at % 10 == 9 { answered.load(Ordering::Acquire) + 2 } else { 0 };
            std::thread::sleep(Duration::from_millis(2));
            while answered.load(Ordering::Acquire) < enough && !reader.is_finished() {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        ended.store(true, Ordering::Release);
        answers = reader.join().unwrap();
    });
    (answers, commits)
}

/// Each answer has all figures of the state that it names, whatever is committed while it is computed.
#[test]
fn a_summary_during_commits_has_the_figures_of_one_state() {
    const PATH: &str = "/summary?url=example.com&since=20240301";
    let suffixes = Suffixes::built_in().unwrap();
    let records = random_without_repeats(55, 160);
    let server = Server::start(&[]);
    let (answers, commits) = read_during_commits(&server, &records, || server.client.json(PATH));
    let mut states = BTreeMap::new();
    for answer in &answers {
        let change = answer["asOf"]["change"].as_u64().unwrap();
        if answer["exportFinished"] == true {
            let former = states.insert(change, stateless(answer)).unwrap_or_else(|| stateless(answer));
            assert_eq!(former, stateless(answer), "two answers about change {change}");
        }
    }
    assert!(states.len() > 5, "{} states of {} answers", states.len(), answers.len());
    let step = states.len().div_ceil(12);
    for (change, answer) in states.iter().step_by(step).chain(states.last_key_value()) {
        let visits = &records[..commits[change]];
        let history = History::of(visits, &suffixes);
        let now = history.steps(|host| suffixes.domain_of(host) == "example.com", &[(0, 99_991_231)]);
        assert_eq!(
            (&answer["backlinks"], &answer["refdoms"]),
            (&now[0]["backlinks"], &now[0]["refdoms"]),
            "{change}"
        );
        assert_eq!(answer, &quiet(visits, PATH), "{change}");
    }
}

#[test]
fn figures_of_an_unfinished_index_are_null_until_it_is_ready() {
    const PATH: &str = "/summary?url=example.com&since=20240301";
    let records = random_without_repeats(56, 600);
    let search = SearchConfig {
        refresh: Span::seconds(0),
        patience: Span::seconds(0),
        preview_rows: 1,
        ..SearchConfig::default()
    };
    let expected = quiet(&records, PATH);
    let server = Server::start_searching(&records, search);
    let first = stateless(&server.client.json(PATH));
    assert_eq!(first["exportFinished"], false, "the first rows are all rows: {first}");
    for name in ["ips", "ipv6", "net24", "countries", "lost", "firstSeen", "lastSeen"] {
        assert!(first[name].is_null() && first.get(name).is_some(), "{name}: {first}");
    }
    let since = first["since"].as_object().unwrap();
    assert!(since.iter().all(|(name, figure)| name == "date" || figure.is_null()), "{first}");
    for name in ["backlinks", "refdoms", "nofollow", "text", "edu", "pages", "external", "known", "sr"] {
        assert_eq!(first[name], expected[name], "{name}");
    }
    for _ in 0..500 {
        let next = stateless(&server.client.json(PATH));
        if next["exportFinished"] == true {
            assert_eq!(next, expected);
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("the index is not ready after ten seconds");
}

fn post(server: &Server, path: &str, body: &Value) -> Reply {
    server.client.send("POST", path, &["Content-Type: application/json"], body.to_string().as_bytes())
}

/// The row that a scope has beside others.
fn row_of(mut summary: Value) -> Value {
    for key in ["asOf", "status", "warnings"] {
        summary.as_object_mut().unwrap().remove(key);
    }
    summary
}

#[test]
fn each_of_several_urls_has_the_row_of_its_summary() {
    let records = random(57, 250);
    let server = Server::start(&records);
    publish_ranks(&server, &records);
    let urls: Vec<&str> = SCOPES.iter().copied().chain(["unknown.example", SCOPES[0]]).collect();
    for more in ["", "&internal=exclude", "&scope=host"] {
        let path = format!("/summary?since=20240301{more}");
        let answer = post(&server, &path, &json!({ "urls": urls })).json();
        let summary = |url: &&str| server.client.json(&format!("{path}&url={}", encode(url)));
        let rows: Vec<Value> = urls.iter().map(|url| row_of(summary(url))).collect();
        assert_eq!(answer["response"], json!(rows), "{more}");
        assert_eq!((&answer["count"], &answer["exportFinished"]), (&json!(urls.len()), &json!(true)));
        assert_eq!(answer["asOf"], summary(&"example.com")["asOf"]);
        let warnings = answer["warnings"].as_array().unwrap();
        assert!(warnings.contains(&json!("unknown.example is not known to this index.")), "{warnings:?}");
    }
}

#[test]
fn rows_of_several_urls_are_of_one_state_during_commits() {
    const PATH: &str = "/summary?since=20240301";
    let records = random_without_repeats(58, 120);
    let urls = ["example.com", "example.org", "a.co.uk"];
    let server = Server::start(&[]);
    let body = json!({ "urls": urls });
    let read = || post(&server, PATH, &body).json();
    let (answers, commits) = read_during_commits(&server, &records, read);
    let mut states = BTreeMap::new();
    for answer in &answers {
        // A scope with few rows is complete, however often it changes.
        assert_eq!(answer["exportFinished"], true, "{answer}");
        states.insert(answer["asOf"]["change"].as_u64().unwrap(), answer["response"].clone());
    }
    assert!(states.len() > 5, "{} states of {} answers", states.len(), answers.len());
    for (change, rows) in states.iter().step_by(states.len().div_ceil(8)) {
        let quiet = Server::start(&records[..commits[change]]);
        let summary = |url: &&str| row_of(quiet.client.json(&format!("{PATH}&url={url}")));
        let expected: Vec<Value> = urls.iter().map(summary).collect();
        assert_eq!(rows, &json!(expected), "{change}");
    }
}

#[test]
fn unusable_lists_of_urls_are_refused() {
    let config = ApiConfig { max_summaries: 2, ..ApiConfig::default() };
    let server = Server::start_with(&[], config, AuthPolicy::Open);
    for (body, message) in [
        (json!({ "urls": [] }), "name at least one"),
        (json!({ "urls": ["a.example", "b.example", "c.example"] }), "urls names 3 URLs; name at most 2"),
        (json!({ "urls": ["a.example", "b .example"] }), "entry 2 of urls, \"b .example\", cannot be used"),
        (json!(["a.example"]), "send JSON like {\"urls\""),
        (json!({ "url": "a.example" }), "send JSON like {\"urls\""),
    ] {
        let reply = post(&server, "/summary", &body);
        let error = reply.json()["error"].as_str().unwrap_or_default().to_owned();
        assert_eq!((reply.status, error.contains(message)), (400, true), "{body}: {error}");
    }
    assert_eq!(post(&server, "/summary", &json!({ "urls": ["a.example", "b.example"] })).status, 200);
    assert_eq!(server.client.send("POST", "/summary", &[], b"{\"urls\":[\"a.example\"]}").status, 400);
}

#[test]
fn a_day_that_is_none_is_refused() {
    let server = Server::start(&[]);
    let reply = server.client.get("/summary?url=example.com&since=20240230");
    assert_eq!(reply.status, 400);
    assert!(reply.json()["error"].as_str().unwrap().starts_with("since is \"20240230\""), "{}", reply.json());
}
