//! Entity tags, 304, and compressed responses.

use backlinkd::api::{AuthPolicy, ENDPOINTS};
use backlinkd::config::ApiConfig;

use super::about::required;
use super::client::{Client, Reply};
use super::server::Server;
use super::web::{link, page, random};

const LIST: &str = "/backlinks?url=example.com&limit=50";

fn get(client: &Client, target: &str, headers: &[&str]) -> Reply {
    client.send("GET", target, headers, b"")
}

fn tag(reply: &Reply) -> String {
    reply.header("etag").unwrap_or_else(|| panic!("no ETag: {reply:?}")).to_owned()
}

fn matching(client: &Client, target: &str, tags: &str, more: &[&str]) -> Reply {
    let condition = format!("If-None-Match: {tags}");
    let headers: Vec<&str> = more.iter().copied().chain([condition.as_str()]).collect();
    get(client, target, &headers)
}

#[test]
fn every_successful_get_has_a_tag_that_gives_304() {
    let server = Server::start(&random(61, 150));
    // The size of the index is counted for each request.
    for endpoint in ENDPOINTS.iter().filter(|endpoint| endpoint.name != "stats") {
        let mut target = format!("/{}?{}", endpoint.name, required(endpoint.name, "example.com"));
        if endpoint.name == "summary" {
            // Without the day, the answer contains the time of each reading.
            target.push_str("&since=20240301");
        }
        let first = server.client.get(&target);
        let tag = tag(&first);
        assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() == 34, "{target}: {tag}");
        let again = matching(&server.client, &target, &tag, &[]);
        assert_eq!((again.status, again.body.len()), (304, 0), "{target}");
        assert_eq!(again.header("etag"), Some(tag.as_str()));
        assert_eq!(again.header("vary"), first.header("vary"));
        assert_eq!(matching(&server.client, &target, "\"other\"", &[]).body, first.body, "{target}");
    }
}

#[test]
fn if_none_match_accepts_lists_stars_and_weak_tags() {
    let server = Server::start(&random(61, 150));
    let tag = tag(&server.client.get(LIST));
    for (tags, status) in [
        (format!("\"a\", {tag}"), 304),
        (format!("W/{tag}"), 304),
        (format!("W/\"x\",W/{tag} , \"y\""), 304),
        ("*".to_owned(), 304),
        ("\"a\"".to_owned(), 200),
        (tag.trim_matches('"').to_owned(), 200),
    ] {
        assert_eq!(matching(&server.client, LIST, &tags, &[]).status, status, "{tags}");
        let head = server.client.send("HEAD", LIST, &[&format!("If-None-Match: {tags}")], b"");
        assert_eq!(head.status, status, "{tags}");
    }
    // Errors are sent whatever the client has cached.
    assert_eq!(matching(&server.client, "/backlinks?url=", "*", &[]).status, 400);
    assert!(server.client.get("/backlinks?url=").header("etag").is_none());
    let posted = server.client.send(
        "POST",
        "/backlinkshort",
        &["Content-Type: application/json", "If-None-Match: *"],
        b"[\"example.com\"]",
    );
    assert_eq!((posted.status, posted.header("etag")), (200, None));
}

#[test]
fn a_tag_changes_only_with_its_own_answer() {
    let server = Server::start(&random(61, 150));
    let before = tag(&server.client.get(LIST));
    server.store.put(&[page("http://n.example/", "", "", vec![link("http://m.example/", "")])]).unwrap();
    assert_eq!(tag(&server.client.get(LIST)), before, "another scope changed");
    assert_eq!(matching(&server.client, LIST, &before, &[]).status, 304);
    server.store.put(&[page("http://n.example/2", "", "", vec![link("http://example.com/", "")])]).unwrap();
    let after = matching(&server.client, LIST, &before, &[]);
    assert_eq!(after.status, 200);
    assert_ne!(tag(&after), before);
}

#[test]
fn a_response_has_the_encoding_that_the_client_prefers() {
    let server = Server::start(&random(61, 150));
    let plain = server.client.get(LIST);
    assert!(plain.body.len() > 1_400 && plain.header("content-encoding").is_none());
    let mut tags = vec![tag(&plain)];
    for (accepted, coding) in [
        ("gzip", Some("gzip")),
        ("gzip, deflate, br", Some("gzip")),
        ("deflate, gzip;q=1.0, *;q=0.5", Some("gzip")),
        ("gzip;q=0.8, zstd;q=0.9", Some("zstd")),
        ("zstd", Some("zstd")),
        ("*", Some("zstd")),
        ("gzip;q=0", None),
        ("identity", None),
        ("br", None),
        ("", None),
    ] {
        for _ in 0..2 {
            let reply = get(&server.client, LIST, &[&format!("Accept-Encoding: {accepted}")]);
            assert_eq!(reply.header("content-encoding"), coding, "{accepted}");
            assert!(reply.header("vary").unwrap().contains("Accept-Encoding"));
            assert_eq!(reply.decoded(), plain.body, "{accepted}");
            assert_eq!(reply.header("content-length"), Some(reply.body.len().to_string().as_str()));
            assert!(coding.is_none() || reply.body.len() * 3 < plain.body.len(), "{accepted}");
            tags.push(tag(&reply));
        }
    }
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), 3, "one tag for each coding: {tags:?}");
}

#[test]
fn a_304_needs_the_tag_of_the_same_encoding() {
    let server = Server::start(&random(61, 150));
    let (plain, gzip) = (tag(&server.client.get(LIST)), ["Accept-Encoding: gzip"]);
    let packed = tag(&get(&server.client, LIST, &gzip));
    assert_eq!(matching(&server.client, LIST, &packed, &gzip).status, 304);
    assert_eq!(matching(&server.client, LIST, &plain, &gzip).status, 200);
    assert_eq!(matching(&server.client, LIST, &packed, &[]).status, 200);
}

#[test]
fn short_responses_are_compressed_only_if_required() {
    let server = Server::start(&[]);
    let coded = |target, accepted| {
        let reply = get(&server.client, target, &[&format!("Accept-Encoding: {accepted}")]);
        assert_eq!(reply.status, 200);
        let coding = reply.header("content-encoding").map(str::to_owned);
        (coding, reply.decoded().len())
    };
    let target = "/sr?url=example.com";
    let (coding, length) = coded(target, "gzip");
    assert!(coding.is_none() && length < 1_400);
    assert_eq!(coded(target, "gzip, identity;q=0").0.as_deref(), Some("gzip"));
    let eager = ApiConfig { compress_min_bytes: length, ..ApiConfig::default() };
    let eager = Server::start_with(&[], eager, AuthPolicy::Open);
    let reply = get(&eager.client, target, &["Accept-Encoding: zstd"]);
    assert_eq!((reply.header("content-encoding"), reply.decoded().len()), (Some("zstd"), length));
}

#[test]
fn head_has_the_headers_of_get() {
    let server = Server::start(&random(61, 150));
    for (target, headers) in [
        (LIST, &[][..]),
        (LIST, &["Accept-Encoding: gzip"]),
        ("/linktexts?url=example.com&format=csv", &[]),
        ("/exportpages?url=example.com", &["Accept: application/jsonl"]),
        ("/anabacklinks?url=example.com", &[]),
    ] {
        for _ in 0..2 {
            let (get, head) =
                (get(&server.client, target, headers), server.client.send("HEAD", target, headers, b""));
            assert!(head.body.is_empty());
            for name in
                ["content-length", "content-type", "content-encoding", "etag", "vary", "x-total-count"]
            {
                assert_eq!(head.header(name), get.header(name), "{name} of {target}");
            }
        }
    }
}
