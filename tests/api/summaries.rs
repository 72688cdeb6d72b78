//! `/summary`, compared with the endpoints of its figures, with exports, and with the stored visits.

use std::collections::BTreeSet;

use backlinkd::config::{ApiConfig, Span};
use backlinkd::model::Day;
use backlinkd::urls::Suffixes;
use serde_json::{Value, json};

use super::answers::publish_ranks;
use super::client::encode;
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

/// A list may show an earlier state for `search.refresh`. A summary never does.
#[test]
fn a_summary_is_of_the_present_state() {
    let server = Server::start_refreshing(
        &[page("http://one.example/", "192.0.2.1", "SE", vec![link("http://target.example/", "x")])],
        ApiConfig::default(),
        Span::seconds(60),
    );
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

#[test]
fn a_day_that_is_none_is_refused() {
    let server = Server::start(&[]);
    let reply = server.client.get("/summary?url=example.com&since=20240230");
    assert_eq!(reply.status, 400);
    assert!(reply.json()["error"].as_str().unwrap().starts_with("since is \"20240230\""), "{}", reply.json());
}
