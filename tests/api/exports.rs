//! Exports: complete, in order, and resumable while the index changes.

use std::collections::{BTreeMap, BTreeSet};

use backlinkd::model::{LinkTag, PageContent, PageFacts, Visit, VisitRecord};
use serde_json::{Value, json};

use super::oracle::export;
use super::server::Server;
use super::web::{later, link, page, random, url};

fn pair(row: &Value) -> String {
    format!("{} {} {}", row["linktarget"], row["backlinkpage"], row["pos"])
}

/// Compares the export with the stored records: the last visit of each page determines its links.
#[test]
fn the_export_holds_the_active_external_links_of_the_web() {
    let records = random(11, 200);
    let mut pages: BTreeMap<String, &VisitRecord> = BTreeMap::new();
    for record in &records {
        pages.insert(record.url.as_str().to_owned(), record);
    }
    let bare = |host: &str| host.strip_prefix("www.").unwrap_or(host).to_owned();
    let mut expected = BTreeSet::new();
    for record in pages.values() {
        let Visit::Responded(content) = &record.visit else { continue };
        for (at, link) in content.links.iter().enumerate() {
            let (source, target) = (record.url.host(), link.target.host());
            let in_scope = target == "example.com" || target.ends_with(".example.com");
            if in_scope && bare(source) != bare(target) {
                expected.insert(format!("{:?} {:?} {}", link.target.as_str(), record.url.as_str(), at + 1));
            }
        }
    }
    assert!(expected.len() > 50, "{}", expected.len());
    let server = Server::start(&records);
    let rows = export(&server.client, "exportbacklinks", "example.com", 10_000);
    let active: Vec<String> = rows.iter().filter(|row| row["active"] == true).map(pair).collect();
    assert!(active.len() < rows.len(), "no link was lost");
    assert_eq!(active.len(), expected.len());
    assert_eq!(active.into_iter().collect::<BTreeSet<_>>(), expected);
}

#[test]
fn chunks_of_any_size_give_the_same_export() {
    let server = Server::start(&random(12, 150));
    for endpoint in ["exportbacklinks", "exportpages"] {
        for scope in ["example.com", "www.example.com", "http://example.com/", "example.org/a"] {
            let whole = export(&server.client, endpoint, scope, 10_000);
            for limit in [1, 7, whole.len().max(1)] {
                assert_eq!(
                    export(&server.client, endpoint, scope, limit),
                    whole,
                    "{endpoint} {scope} {limit}"
                );
            }
        }
    }
}

#[test]
fn a_token_survives_a_restart_and_is_valid_for_one_query() {
    let server = Server::start(&random(13, 100));
    let first = server.client.json("/exportbacklinks?url=example.com&limit=3");
    let token = first["next"].as_str().unwrap().to_owned();
    let second = server.client.json(&format!("/exportbacklinks?url=example.com&limit=3&next={token}"));
    let server = server.restart();
    let get = |target: &str| server.client.get(&format!("/{target}&next={token}"));
    assert_eq!(
        get("exportbacklinks?url=http%3A%2F%2Fexample.com&limit=3").json()["response"],
        second["response"]
    );
    for foreign in [
        "exportbacklinks?url=example.org",
        "exportbacklinks?url=example.com/",
        "exportbacklinks?url=example.com&scope=host",
        "exportpages?url=example.com",
    ] {
        assert_eq!(get(foreign).status, 400, "{foreign}");
    }
}

#[test]
fn a_limit_of_zero_shows_whether_rows_remain() {
    let server = Server::start(&random(14, 100));
    let none = server.client.json("/exportbacklinks?url=example.com&limit=0");
    assert_eq!((&none["count"], &none["response"]), (&json!(0), &json!([])));
    let token = none["next"].as_str().unwrap();
    let whole = server.client.json("/exportbacklinks?url=example.com&limit=10000");
    let after = server.client.json(&format!("/exportbacklinks?url=example.com&limit=10000&next={token}"));
    assert_eq!(after, whole);
    assert_eq!(server.client.json("/exportbacklinks?url=unknown.example&limit=0")["next"], Value::Null);
}

/// Pages are stored between two chunks: before and after the position, and over links that were read already.
#[test]
fn rows_that_exist_throughout_are_exported_while_pages_are_stored() {
    let server = Server::start(&random(15, 150));
    let before: BTreeSet<String> =
        export(&server.client, "exportbacklinks", "example.com", 10_000).iter().map(pair).collect();
    let mut read = Vec::new();
    let mut next = String::new();
    for round in 0.. {
        let piece = server.client.json(&format!("/exportbacklinks?url=example.com&limit=5{next}"));
        read.extend(piece["response"].as_array().unwrap().iter().map(pair));
        let Some(token) = piece["next"].as_str() else { break };
        next = format!("&next={token}");
        let new = format!("http://new{round}.example/");
        let links = vec![link("http://example.com/", "new"), link("https://www.example.com/z", "new")];
        server.store.put(&[later(page(&new, "192.0.2.99", "SE", links), 40)]).unwrap();
    }
    let distinct: BTreeSet<String> = read.iter().cloned().collect();
    assert_eq!(distinct.len(), read.len(), "a row was repeated");
    assert!(distinct.is_superset(&before), "a row was lost");
}

#[test]
fn pages_are_exported_with_their_links_and_without_failures() {
    let mut shop = page(
        "http://example.com/",
        "192.0.2.1",
        "SE",
        vec![
            link("http://example.com/b", "Inside"),
            link("http://other.example/", "Outside"),
            link("http://www.example.com/c", "Inside too"),
        ],
    );
    let Visit::Responded(content) = &mut shop.visit else { unreachable!() };
    content.facts.description = "About".to_owned();
    content.links[1].tag = LinkTag::Aimg;
    let moved = VisitRecord {
        visit: Visit::Responded(Box::new(PageContent {
            facts: PageFacts { status: 301, ..PageFacts::default() },
            links: vec![backlinkd::model::Link {
                tag: LinkTag::Redirect301,
                ..link("http://other.example/x", "")
            }],
            ..PageContent::default()
        })),
        ..page("http://example.com/moved", "", "", vec![])
    };
    let failed = VisitRecord {
        url: url("http://example.com/never"),
        visited: 1_709_208_000,
        visit: Visit::Failed(backlinkd::model::FailureKind::Timeout, String::new()),
    };
    let server = Server::start(&[shop, moved, failed]);
    let rows = export(&server.client, "exportpages", "example.com", 10);
    assert_eq!(rows.len(), 2);
    assert_eq!(
        rows[0],
        json!({
            "extL": [{ "nofollow": false, "pos": 2, "anchor": "Outside", "tag": "aimg", "url": "http://other.example/" }],
            "intL": [
                { "nofollow": false, "pos": 1, "anchor": "Inside", "tag": "a", "url": "http://example.com/b" },
                { "nofollow": false, "pos": 3, "anchor": "Inside too", "tag": "a", "url": "http://www.example.com/c" },
            ],
            "info": {
                "ccode": "SE", "charset": "utf-8", "insDate": "20240229", "ip": "192.0.2.1", "description": "About",
                "content-type": "text/html", "title": "Title of http://example.com/", "http-code": 200,
                "url": "http://example.com/", "sr": 0, "canonical": "", "robots": "", "cut": "", "tls": "",
            },
        })
    );
    assert_eq!(rows[1]["info"]["http-code"], 301);
    assert_eq!(rows[1]["extL"][0]["tag"], "301");
    assert_eq!(rows[1]["info"]["ip"], "");
}

/// After a list has built the scope's index, exports read from that index.
#[test]
fn an_export_from_an_index_equals_that_of_the_store() {
    let server = Server::start(&random(13, 250));
    for scope in ["example.com", "www.example.com", "http://example.com/", "unknown.example"] {
        for more in ["", "&internal=exclude", "&fields=pos,active,linktarget", "&format=csv", "&format=jsonl"]
        {
            let first = format!("/exportbacklinks?url={scope}&limit=7{more}");
            let get = |target: &str| {
                let reply = server.client.get(target);
                (reply.header("x-next").map(str::to_owned), String::from_utf8(reply.body).unwrap())
            };
            let whole = format!("/exportbacklinks?url={scope}&limit=10000{more}");
            let nothing = format!("/exportbacklinks?url={scope}&limit=0{more}");
            let stored = [get(&first), get(&whole), get(&nothing)];
            let token: Option<String> = match &stored[0] {
                (Some(token), _) => Some(token.clone()),
                (None, json) => serde_json::from_str::<Value>(json)
                    .ok()
                    .and_then(|answer| answer["next"].as_str().map(str::to_owned)),
            };
            let second = token.map(|token| format!("{first}&next={token}"));
            let stored_second = second.as_deref().map(get);
            let internal = if more.contains("internal") { more } else { "" };
            server.client.json(&format!("/backlinks?url={scope}{internal}"));
            // The state differs, so that no cached answer is served; the links are the same.
            server.store.put(&[page("http://elsewhere.example/", "192.0.2.1", "SE", vec![])]).unwrap();
            server.client.json(&format!("/backlinks?url={scope}{internal}"));
            assert_eq!([get(&first), get(&whole), get(&nothing)], stored, "{scope} {more}");
            assert_eq!(second.as_deref().map(get), stored_second, "{scope} {more}");
        }
    }
}
