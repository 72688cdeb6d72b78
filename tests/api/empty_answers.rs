//! Explanations of an empty answer: its subject is unknown, known but never visited, or visited and without links.

use backlinkd::api::{AuthPolicy, ENDPOINTS};
use backlinkd::config::{ApiConfig, Span};
use backlinkd::model::{DiscoveredUrl, FailureKind, PageContent, PageFacts, Visit, VisitRecord};
use backlinkd::store::Commit;
use serde_json::{Value, json};

use super::about::{OF_THE_INDEX, required};
use super::client::{Reply, encode};
use super::server::Server;
use super::web::{LEAP_DAY, later, link, page, random, url};

/// The warnings of an answer in JSON.
fn warnings(answer: &Value) -> Vec<String> {
    let list = answer.get("warnings").and_then(Value::as_array).cloned().unwrap_or_default();
    list.iter().map(|warning| warning.as_str().unwrap().to_owned()).collect()
}

/// The warnings of an answer in another format.
fn beside(reply: &Reply) -> Vec<String> {
    reply.header("x-warnings").map_or_else(Vec::new, |json| serde_json::from_str(json).unwrap())
}

fn failed(address: &str, kind: FailureKind) -> VisitRecord {
    VisitRecord { url: url(address), visited: LEAP_DAY, visit: Visit::Failed(kind, String::new()) }
}

fn status(address: &str, status: u16) -> VisitRecord {
    let content =
        PageContent { facts: PageFacts { status, ..PageFacts::default() }, ..PageContent::default() };
    VisitRecord { visit: Visit::Responded(Box::new(content)), ..page(address, "", "", vec![]) }
}

/// Hosts in every state.
fn web() -> Vec<VisitRecord> {
    vec![
        page("http://visited.example/", "", "", vec![link("http://linked.example/a", "x")]),
        page("http://visited.example/b", "", "", vec![link("http://lost.example/", "x")]),
        later(page("http://visited.example/b", "", "", vec![]), 1),
        later(status("http://gone.example/x", 404), 2),
        failed("http://dead.example/", FailureKind::Dns),
        page("https://secure.example/", "", "", vec![]),
        failed("http://secure.example/", FailureKind::Timeout),
        page("http://mixed.example:8080/", "", "", vec![]),
    ]
}

/// Web and queue: two URLs wait in the queue, one was discovered and its visit postponed.
fn served() -> Server {
    let server = Server::start(&web());
    let met = ["http://queued.example/", "http://deep.queued2.example/x/y", "http://visited.example/met"];
    let found = met.map(|address| DiscoveredUrl::page(url(address), 1)).to_vec();
    server.store.commit(Commit { discovered: found, ..Commit::default() }).unwrap();
    server.store.merge_discovered().unwrap();
    server
}

const UNKNOWN: &str = "is not known to this index.";
const UNVISITED: &str = "is known but was not visited yet.";

/// The subject of a request, and the sentence that describes it.
const TABLE: &[(&str, &str, &str)] = &[
    ("unknown.example", "unknown.example", UNKNOWN),
    ("www.unknown.example", "www.unknown.example", UNKNOWN),
    ("http://unknown.example/a?b", "http://unknown.example/a?b", UNKNOWN),
    ("unknown.example/a", "unknown.example/a", UNKNOWN),
    ("192.0.2.200", "192.0.2.200", UNKNOWN),
    ("UNKNOWN.bücher.example", "unknown.xn--bcher-kva.example", UNKNOWN),
    ("http://linked.example/b", "http://linked.example/b", UNKNOWN),
    ("http://visited.example/c", "http://visited.example/c", UNKNOWN),
    ("visited.example:8080", "visited.example:8080", UNKNOWN),
    ("notvisited.example", "notvisited.example", UNKNOWN),
    ("lost.example", "lost.example", UNVISITED),
    ("http://lost.example/", "http://lost.example/", UNVISITED),
    ("queued.example", "queued.example", UNVISITED),
    ("http://queued.example/", "http://queued.example/", UNVISITED),
    ("queued.example/", "queued.example/", UNVISITED),
    ("queued2.example", "queued2.example", UNVISITED),
    ("deep.queued2.example", "deep.queued2.example", UNVISITED),
    ("http://visited.example/met", "http://visited.example/met", UNVISITED),
    ("visited.example/met", "visited.example/met", UNVISITED),
    (
        "visited.example",
        "visited.example",
        "was visited at 2024-02-29 (status 200 at http://visited.example/) and has no links of this kind.",
    ),
    (
        "http://visited.example/",
        "http://visited.example/",
        "was visited at 2024-02-29 (status 200) and has no links of this kind.",
    ),
    (
        "visited.example/b",
        "visited.example/b",
        "was visited at 2024-03-01 (status 200 at http://visited.example/b) and has no links of this kind.",
    ),
    (
        "http://gone.example/x",
        "http://gone.example/x",
        "was visited at 2024-03-02 (status 404) and has no links of this kind.",
    ),
    (
        "http://dead.example/",
        "http://dead.example/",
        "was visited at 2024-02-29 (dns) and has no links of this kind.",
    ),
    (
        "dead.example",
        "dead.example",
        "was visited at 2024-02-29 (dns at http://dead.example/) and has no links of this kind.",
    ),
    (
        "secure.example",
        "secure.example",
        "was visited at 2024-02-29 (status 200 at https://secure.example/) and has no links of this kind.",
    ),
    (
        "mixed.example",
        "mixed.example",
        "was visited at 2024-02-29 (status 200 at http://mixed.example:8080/) and has no links of this kind.",
    ),
];

/// The value of `known` beside a sentence.
fn known_by(sentence: &str) -> &'static str {
    match sentence {
        UNKNOWN => "unknown",
        UNVISITED => "discovered",
        _ => "visited",
    }
}

/// `known` stands in lists without rows and nowhere else, whatever removed the rows.
#[test]
fn an_empty_list_says_what_is_known() {
    let server = served();
    let known = |target: &str| {
        let answer = server.client.json(target);
        assert_eq!(answer.get("known").is_some(), answer["count"] == 0, "{target}: {answer}");
        answer["known"].clone()
    };
    for (target, expected) in [
        ("/backlinks?url=visited.example&where=pos%20gt%205", json!("visited")),
        ("/backlinks?url=linked.example&where=pos%20gt%205", json!("discovered")),
        ("/backlinks?url=linked.example", Value::Null),
        ("/httpstatus?url=visited.example&where=code%20eq%20500", json!("visited")),
        ("/linktextdistribution?url=linked.example", Value::Null),
        ("/exportpages?url=linked.example", json!("discovered")),
        ("/competitors?url=queued.example", json!("discovered")),
        ("/newdomains?url=unknown.example&from=20240101", json!("unknown")),
        ("/linkintersect?targets[]=visited.example&targets[]=linked.example", json!("discovered")),
        ("/linkintersect?targets[]=visited.example&targets[]=unknown.example", json!("unknown")),
        ("/linkintersect?targets[]=visited.example&targets[]=gone.example", json!("visited")),
    ] {
        assert_eq!(known(target), expected, "{target}");
    }
    let beyond = server.client.json("/domains?where=pages%20gt%20100000");
    assert_eq!((&beyond["count"], beyond.get("known")), (&json!(0), None), "no scope");
}

#[test]
fn the_three_states_are_distinguished() {
    let server = served();
    for (asked, name, state) in TABLE {
        let expected = [format!("{name} {state}")];
        for target in [
            "backlinks",
            "anabacklinks",
            "linktexts",
            "linkspread",
            "exportbacklinks",
            "linktextdistribution",
        ] {
            // An export contains lost links too.
            if target == "exportbacklinks" && asked.contains("lost.example") {
                continue;
            }
            let answer = server.client.json(&format!("/{target}?url={}", encode(asked)));
            assert_eq!(warnings(&answer), expected, "{target} of {asked}");
            let known = answer.get("count").map(|_| json!(known_by(state)));
            assert_eq!(answer.get("known"), known.as_ref(), "{target} of {asked}");
        }
    }
    // A linked page has links to show.
    for linked in ["linked.example", "http://linked.example/a"] {
        let answer = server.client.json(&format!("/backlinks?url={linked}"));
        assert_eq!((&answer["count"], warnings(&answer)), (&json!(1), vec![]));
    }
    let of_linked = server.client.json("/exportpages?url=linked.example");
    assert_eq!(warnings(&of_linked), [format!("linked.example {UNVISITED}")]);
}

#[test]
fn every_list_and_count_explains_emptiness_in_every_format() {
    let server = served();
    for endpoint in ENDPOINTS {
        let name = endpoint.name;
        let target = format!("/{name}?{}", required(name, "unknown.example"));
        let answer = server.client.json(&target);
        let explained = warnings(&answer);
        // These endpoints answer for an unknown subject too.
        if matches!(name, "iscached" | "redirectchain" | "sr") || OF_THE_INDEX.contains(&name) {
            assert_eq!(explained, [""; 0], "{name}");
            continue;
        }
        let times = if matches!(name, "anaurls" | "backlinkshort" | "linkintersect") { 2 } else { 1 };
        assert_eq!(explained, vec![format!("unknown.example {UNKNOWN}"); times], "{name}");
        if endpoint.handler.is_tabular() {
            for format in ["csv", "jsonl", "excel"] {
                let reply = server.client.get(&format!("{target}&format={format}"));
                assert_eq!(beside(&reply), explained, "{name} as {format}");
            }
        }
        // The explanation follows the warning about an ignored parameter.
        let odd = server.client.json(&format!("{target}&odd=1"));
        assert!(warnings(&odd)[0].contains("\"odd\"") && warnings(&odd)[1..] == explained, "{odd}");
    }
}

#[test]
fn the_sentence_names_the_missing_rows() {
    let server = served();
    let said = |target: &str| warnings(&server.client.json(target)).join("|");
    for (target, these) in [
        ("/httpstatus?url=dead.example", "pages"),
        ("/exportpages?url=dead.example", "pages"),
        ("/competitors?url=linked.example", ""),
        ("/competitors?url=visited.example", "competitors"),
        ("/backlinks?url=visited.example&active=false", "links"),
        ("/lostbacklinks?url=visited.example&from=20240101", "links"),
        ("/outgoinglinks?url=visited.example/b", "links"),
    ] {
        let expected =
            if these.is_empty() { UNVISITED.to_owned() } else { format!("and has no {these} of this kind.") };
        assert!(said(target).ends_with(&expected), "{target}: {}", said(target));
    }
}

/// An empty result of `where` needs no explanation, unless there were no rows before it.
#[test]
fn an_empty_result_of_a_condition_is_not_explained() {
    let server = served();
    for (target, expected) in [
        ("/backlinks?url=linked.example&where=pos%20gt%205", format!("linked.example {UNVISITED}")),
        ("/backlinks?url=unknown.example&where=pos%20gt%205", format!("unknown.example {UNKNOWN}")),
        (
            "/linktextdistribution?url=unknown.example&where=frequency%20gt%205",
            format!("unknown.example {UNKNOWN}"),
        ),
        ("/httpstatus?url=visited.example&where=code%20eq%20500", String::new()),
        ("/backlinks?url=visited.example&where=pos%20gt%205", String::new()),
        ("/redirectchain?url=http://visited.example/&where=code%20eq%20500", String::new()),
    ] {
        assert_eq!(warnings(&server.client.json(target)).join("|"), expected, "{target}");
        if !target.starts_with("/linktextdistribution") {
            let reply = server.client.get(&format!("{target}&format=csv"));
            assert_eq!(beside(&reply).join("|"), expected, "{target}");
        }
    }
}

#[test]
fn an_answer_with_rows_has_no_explanation() {
    let server = Server::start(&random(84, 200));
    for endpoint in ENDPOINTS {
        let name = endpoint.name;
        let target = format!("/{name}?{}", required(name, "example.com"));
        let answer = server.client.json(&target);
        assert_eq!(warnings(&answer), [""; 0], "{name}: {answer}");
        if endpoint.handler.is_tabular() {
            let reply = server.client.get(&format!("{target}&format=csv"));
            assert_eq!(beside(&reply), [""; 0], "{name}");
        }
    }
    // The same holds for a page beyond the end, a plain count, and the end of an export.
    for target in [
        "/backlinks?url=example.com&offset=100000",
        "/backlinks?url=example.com&limit=0",
        "/exportpages?url=example.com&limit=0",
    ] {
        assert_eq!(warnings(&server.client.json(target)), [""; 0], "{target}");
    }
    let next =
        server.client.json("/exportpages?url=example.com&limit=0")["next"].as_str().unwrap().to_owned();
    assert_eq!(
        warnings(&server.client.json(&format!("/exportpages?url=example.com&next={next}&limit=10000"))),
        [""; 0]
    );
}

#[test]
fn each_of_many_urls_has_its_own_state() {
    let server = served();
    for (name, list) in [("anaurls", "urls"), ("backlinkshort", "urls"), ("linkintersect", "targets")] {
        let asked = ["linked.example", "unknown.example", "queued.example", "http://gone.example/x"];
        let asked: String = asked.iter().map(|one| format!("{list}[]={one}&")).collect();
        let explained = warnings(&server.client.json(&format!("/{name}?{asked}")));
        assert_eq!(
            explained,
            [
                format!("unknown.example {UNKNOWN}"),
                format!("queued.example {UNVISITED}"),
                "http://gone.example/x was visited at 2024-03-02 (status 404) and has no links of this kind."
                    .to_owned(),
            ],
            "{name}"
        );
    }
    let body = br#"["unknown.example"]"#;
    let posted = server.client.send("POST", "/backlinkshort", &["Content-Type: application/json"], body);
    assert_eq!(warnings(&posted.json()), [format!("unknown.example {UNKNOWN}")]);
}

/// New data in the index changes the answers, including cached ones and those that a client already has.
#[test]
fn the_next_answer_shows_new_data() {
    let server = Server::start(&[]);
    let targets = [
        "/anabacklinks?url=new.example",
        "/backlinks?url=new.example",
        "/backlinks?url=new.example&format=csv",
    ];
    let mut tags: Vec<String> = Vec::new();
    let mut says = |expected: &str| {
        for (at, target) in targets.iter().enumerate() {
            let ask = |tag: &str| server.client.send("GET", target, &[&format!("If-None-Match: {tag}")], b"");
            let reply = ask(tags.get(at).map_or("\"none\"", String::as_str));
            assert_eq!(reply.status, 200, "{target}: what the client has is right no longer");
            let said = if target.ends_with("csv") { beside(&reply) } else { warnings(&reply.json()) };
            assert_eq!(said.join("|"), expected, "{target}");
            let tag = reply.header("etag").unwrap().to_owned();
            assert_eq!(ask(&tag).status, 304, "{target}");
            if at < tags.len() { tags[at] = tag } else { tags.push(tag) }
        }
    };
    says(&format!("new.example {UNKNOWN}"));
    let found = vec![DiscoveredUrl::seed(url("http://new.example/"))];
    server.store.commit(Commit { discovered: found, ..Commit::default() }).unwrap();
    says(&format!("new.example {UNVISITED}"));
    server.store.merge_discovered().unwrap();
    server.store.put(&[failed("http://new.example/", FailureKind::Connect)]).unwrap();
    says(
        "new.example was visited at 2024-02-29 (connect at http://new.example/) and has no links of this kind.",
    );
    server.store.put(&[later(page("http://new.example/", "", "", vec![]), 1)]).unwrap();
    says(
        "new.example was visited at 2024-03-01 (status 200 at http://new.example/) and has no links of this kind.",
    );
    server.store.put(&[page("http://a.example/", "", "", vec![link("http://new.example/", "x")])]).unwrap();
    says("");
}

/// A list may show an older state for a while, but never an empty one: new rows are visible at once.
#[test]
fn an_empty_list_never_shows_an_older_state() {
    let server = Server::start_refreshing(&web(), ApiConfig::default(), Span::seconds(3_600));
    let targets = [
        "/backlinks?url=late.example",
        "/linktexts?url=late.example",
        "/linktextdistribution?url=late.example",
        "/referringdomains?url=late.example",
        "/backlinks-histogram?url=late.example&from=20240101&to=20250101",
        "/newbacklinks?url=late.example&from=20240101",
    ];
    let rows = || -> Vec<usize> {
        let answers = targets.iter().map(|target| server.client.json(target));
        answers.map(|answer| answer["response"].as_array().unwrap().len()).collect()
    };
    assert_eq!(rows(), [0; 6]);
    server.store.put(&[page("http://a.example/", "", "", vec![link("http://late.example/", "x")])]).unwrap();
    assert_eq!(rows(), [1; 6]);
    // With rows now present, the answer may show an earlier state.
    server.store.put(&[page("http://b.example/", "", "", vec![link("http://late.example/", "y")])]).unwrap();
    assert_eq!(rows(), [1; 6]);
    assert_eq!(
        server.client.json("/domainpopularity?url=late.example")["response"][0]["domainpopularity"],
        2
    );
    // The answer does not claim that no link is lost while one may be lost by now.
    let lost = "/lostbacklinks?url=late.example&from=20240101";
    assert_eq!(warnings(&server.client.json(lost)), [""; 0]);
}

#[test]
fn long_names_are_shortened_and_hostile_ones_escaped() {
    let server = Server::start_with(&[], ApiConfig::default(), AuthPolicy::Open);
    let long = format!("http://unknown.example/{}", "x".repeat(5_000));
    let reply = server.client.get(&format!("/backlinks?url={long}&format=csv"));
    let said = beside(&reply).join("|");
    assert!(said.len() < 200 && said.starts_with("http://unknown.example/xxx"), "{said}");
    assert!(said.ends_with(&format!("… {UNKNOWN}")), "{said}");
    let odd = server.client.json(&format!("/sr?url={}", encode("http://a.example/\"\r\n<b>")));
    assert_eq!(warnings(&odd), [""; 0]);
    let odd =
        server.client.get(&format!("/backlinks?format=jsonl&url={}", encode("http://a.example/\"\r\n<b>")));
    assert_eq!(beside(&odd), [format!("http://a.example/%22%3Cb%3E {UNKNOWN}")]);
}
