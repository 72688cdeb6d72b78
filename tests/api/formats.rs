//! Lists and exports in other formats, with chosen columns, and longer than memory should hold.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use backlinkd::api::{AuthPolicy, ENDPOINTS, Handler};
use backlinkd::config::{ApiConfig, Span};
use backlinkd::model::VisitRecord;
use serde_json::{Map, Value};

use super::about::required;
use super::client::{Client, Reply, unchunked};
use super::oracle::export;
use super::server::Server;
use super::web::{link, page, random};

pub fn tabular() -> impl Iterator<Item = &'static str> {
    ENDPOINTS.iter().filter(|endpoint| endpoint.handler.is_tabular()).map(|endpoint| endpoint.name)
}

fn is_export(name: &str) -> bool {
    ENDPOINTS.iter().any(|endpoint| endpoint.name == name && matches!(endpoint.handler, Handler::Export(_)))
}

/// The content of a CSV file, parsed by the rules of RFC 4180: every cell as text.
pub fn read_csv(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut letters = text.chars().peekable();
    let mut quoted = false;
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => cell.extend(letters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !quoted && letters.next_if_eq(&'\n').is_some() => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            '\r' | '\n' if !quoted => panic!("a line ends wrongly"),
            _ => cell.push(letter),
        }
    }
    assert!(row.is_empty() && cell.is_empty() && !quoted, "the last line has no end");
    rows
}

/// A row of JSON in the notation of CSV.
fn flat(row: &Value) -> Map<String, Value> {
    let mut flat = row.as_object().unwrap().clone();
    if let Some(Value::Object(info)) = flat.remove("info") {
        flat.extend(info);
    }
    flat.into_iter()
        .map(|(name, value)| {
            let text = match value {
                Value::String(text) => text,
                Value::Array(links) => links.len().to_string(),
                other => other.to_string(),
            };
            (name, Value::String(text))
        })
        .collect()
}

fn csv_objects(text: &str) -> Vec<Map<String, Value>> {
    let mut rows = read_csv(text).into_iter();
    let names = rows.next().unwrap();
    let object = |cells: Vec<String>| {
        assert_eq!(cells.len(), names.len());
        names.iter().cloned().zip(cells.into_iter().map(Value::String)).collect()
    };
    rows.map(object).collect()
}

fn lines(text: &str) -> Vec<Value> {
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn all_rows(client: &Client, name: &str, url: &str) -> Vec<Value> {
    if is_export(name) {
        export(client, name, url, 10_000)
    } else {
        client.json(&format!("/{name}?{}&limit=10000", required(name, url)))["response"]
            .as_array()
            .unwrap()
            .clone()
    }
}

#[test]
fn every_format_has_the_same_content() {
    let mut records = random(81, 250);
    records.push(page(
        "http://odd.example/",
        "",
        "",
        ["a,b", "\"q\"", "line\nbreak", "\r\n", " x ", "'=1+1'", ";\t", "\u{2028}"]
            .map(|anchor| link("http://example.com/odd", anchor))
            .to_vec(),
    ));
    let server = Server::start(&records);
    for name in tabular() {
        for url in ["example.com", "unknown.example"] {
            let rows = all_rows(&server.client, name, url);
            // A chain begins with the URL, known or not.
            let is_unknown = url == "unknown.example" && !matches!(name, "redirectchain" | "domains");
            // No domain loses all its links in these records.
            let is_empty = is_unknown || name == "lostdomains";
            assert_eq!(rows.is_empty(), is_empty, "{name}");
            let needed = required(name, url);
            let csv = server.client.get(&format!("/{name}?{needed}&format=csv"));
            assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8; header=present"));
            let flat: Vec<_> = rows.iter().map(flat).collect();
            assert_eq!(csv_objects(&csv.text()), flat, "{name} of {url}");
            let jsonl = server.client.get(&format!("/{name}?{needed}&format=jsonl"));
            assert_eq!(jsonl.header("content-type"), Some("application/jsonl"));
            assert_eq!(lines(&jsonl.text()), rows, "{name} of {url}");
            for reply in [csv, jsonl] {
                // An empty result is explained.
                assert_eq!(reply.header("x-warnings").is_some(), is_empty, "{name} of {url}");
                assert_eq!(reply.header("x-total-count"), Some(rows.len().to_string().as_str()), "{name}");
                let finished = ENDPOINTS.iter().any(|e| e.name == name && e.handler.reports_completeness());
                assert_eq!(reply.header("x-export-finished"), finished.then_some("true"), "{name}");
                assert!(reply.header("x-next").is_none(), "{name}");
            }
        }
    }
}

#[test]
fn the_format_is_chosen_by_parameter_or_accept() {
    let server = Server::start(&random(81, 50));
    let content_type = |target: &str, accept: &str| {
        let reply = server.client.send("GET", target, &[&format!("Accept: {accept}")], b"");
        assert_eq!(reply.status, 200, "{target} {accept}");
        reply.header("content-type").unwrap().to_owned()
    };
    let (json, csv) = ("application/json", "text/csv; charset=utf-8; header=present");
    for name in tabular() {
        let target = format!("/{name}?{}", required(name, "example.com"));
        for (accept, expected) in [
            ("text/csv", csv),
            ("application/jsonl", "application/jsonl"),
            ("application/x-ndjson", "application/x-ndjson"),
            ("application/json", json),
            ("*/*", json),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", json),
            ("image/png", json),
            ("application/json;q=0.2, text/csv;q=0.3", csv),
        ] {
            assert_eq!(content_type(&target, accept), expected, "{name} {accept}");
        }
        assert_eq!(content_type(&format!("{target}&format=csv"), "application/json"), csv);
        assert_eq!(content_type(&format!("{target}&format=json"), "text/csv"), json);
    }
    // An endpoint with one format answers in that format.
    assert_eq!(content_type("/sr?url=example.com", "text/csv"), json);
    assert_eq!(content_type("/linktextdistribution?url=example.com", "text/csv"), json);
}

#[test]
fn windows_and_conditions_apply_in_every_format() {
    let server = Server::start(&random(82, 200));
    let client = &server.client;
    let part = "url=example.com&offset=3&limit=5&order[]=-pos&where=nofollow%20eq%20false";
    let json = client.json(&format!("/backlinks?{part}"));
    let csv = client.get(&format!("/backlinks?{part}&format=csv"));
    let expected: Vec<_> = json["response"].as_array().unwrap().iter().map(flat).collect();
    assert_eq!(csv_objects(&csv.text()), expected);
    assert_eq!(csv.header("x-total-count"), Some(json["count"].to_string().as_str()));
    let none = client.get("/backlinks?url=example.com&limit=0&format=csv&fields=sr,pos");
    assert_eq!(none.text(), "sr,pos\r\n");
    assert_eq!(client.get("/backlinks?url=example.com&limit=0&format=jsonl").text(), "");
    let odd = client.get("/backlinks?url=example.com&format=csv&order[]=h%C3%B6he");
    assert!(odd.header("x-warnings").unwrap().contains("h\\u00f6he"), "{odd:?}");
}

#[test]
fn an_export_cut_by_its_limit_can_be_resumed() {
    let server = Server::start(&random(82, 200));
    for name in ["exportbacklinks", "exportpages"] {
        let whole = all_rows(&server.client, name, "example.com");
        let (mut read, mut next) = (Vec::new(), String::new());
        loop {
            let reply = server.client.get(&format!("/{name}?url=example.com&format=jsonl&limit=7{next}"));
            let rows = lines(&reply.text());
            assert_eq!(reply.header("x-total-count"), Some(rows.len().to_string().as_str()));
            read.extend(rows);
            let Some(token) = reply.header("x-next") else { break };
            next = format!("&next={token}");
        }
        assert_eq!(read, whole, "{name}");
        let rest = server.client.get(&format!("/{name}?url=example.com&format=jsonl{next}"));
        assert_eq!(lines(&rest.text()), whole[whole.len() / 7 * 7..], "{name}");
    }
}

#[test]
fn chosen_columns_have_the_requested_order() {
    let server = Server::start(&random(83, 150));
    let client = &server.client;
    for name in tabular() {
        let rows = all_rows(client, name, "example.com");
        let mut names: Vec<String> = flat(&rows[0]).keys().cloned().collect();
        names.reverse();
        for count in [1, 2, names.len()] {
            let chosen = &names[..count.min(names.len())];
            let needed = required(name, "example.com");
            let target = format!("/{name}?{needed}&fields={}", chosen.join(","));
            let expected: Vec<Map<_, _>> = rows
                .iter()
                .map(|row| flat(row).into_iter().filter(|(name, _)| chosen.contains(name)).collect())
                .collect();
            let json = client.json(&format!("{target}&limit=10000"));
            let found: Vec<_> = json["response"].as_array().unwrap().iter().map(flat).collect();
            assert_eq!(found, expected, "{target}");
            let csv = client.get(&format!("{target}&format=csv")).text();
            assert_eq!(read_csv(&csv)[0], chosen, "{target}");
            assert_eq!(csv_objects(&csv), expected, "{target}");
            let jsonl = client.get(&format!("{target}&format=jsonl")).text();
            let found: Vec<_> = lines(&jsonl).iter().map(flat).collect();
            assert_eq!(found, expected, "{target}");
        }
    }
    // JSON keeps the order of the request too.
    let body = client.get("/backlinks?url=example.com&limit=1&fields=tag,pos,backlinkpage").text();
    let at = |name: &str| body.find(&format!("\"{name}\":")).unwrap();
    assert!(at("tag") < at("pos") && at("pos") < at("backlinkpage"), "{body}");
    let page = client.get("/exportpages?url=example.com&limit=1&fields=url,extL,sr").text();
    let at = |name: &str| page.find(&format!("\"{name}\":")).unwrap();
    assert!(at("info") < at("url") && at("url") < at("sr") && at("sr") < at("extL"), "{page}");
}

/// Some requests have more columns than others.
#[test]
fn columns_can_be_chosen_on_the_requests_that_have_them() {
    let server = Server::start(&random(83, 150));
    let client = &server.client;
    let both = "targets[]=example.com&targets[]=a.co.uk";
    for (plain, more, columns, known) in [
        ("/backlinks?url=example.com", "&group=domain", "domain,domainLinks", "sponsored"),
        ("/backlinks?url=example.com", "&details=true", "reason,confirmed,doubt", "sponsored"),
        ("/referringdomains?url=example.com", "&details=true", "refdoms", "followed"),
        (&format!("/linkintersect?{both}"), "&targets[]=example.com", "links3", "links2"),
    ] {
        let names: Vec<&str> = columns.split(',').collect();
        let whole = client.json(&format!("{plain}{more}&limit=10000"))["response"].clone();
        let expected: Vec<Map<_, _>> = whole
            .as_array()
            .unwrap()
            .iter()
            .map(|row| flat(row).into_iter().filter(|(name, _)| names.contains(&name.as_str())).collect())
            .collect();
        assert!(!expected.is_empty() && expected[0].len() == names.len(), "{whole}");
        let csv = client.get(&format!("{plain}{more}&fields={columns}&format=csv")).text();
        assert_eq!(csv_objects(&csv), expected, "{plain}{more}");
        assert_eq!(read_csv(&csv)[0], names);
        let json = client.json(&format!("{plain}{more}&fields={columns}&limit=10000"));
        let found: Vec<_> = json["response"].as_array().unwrap().iter().map(flat).collect();
        assert_eq!(found, expected, "{plain}{more}");
        let refused = client.get(&format!("{plain}&fields={columns}"));
        let sentence = refused.json()["error"].as_str().unwrap().to_owned();
        assert!(refused.status == 400 && sentence.contains(names[0]), "{sentence}");
        assert!(sentence.contains(known), "it names the columns there are: {sentence}");
    }
}

/// Hidden columns can still filter and order.
#[test]
fn hidden_columns_can_filter_and_order() {
    let server = Server::start(&random(83, 150));
    let client = &server.client;
    let asked = "url=example.com&order[]=-extL&order[]=pos&where=ccode%20eq%20%27SE%27&limit=20";
    let whole = client.json(&format!("/backlinks?{asked}"));
    let part = client.json(&format!("/backlinks?{asked}&fields=backlinkpage"));
    assert_eq!(part["count"], whole["count"]);
    let pages = |answer: &Value| -> Vec<Value> {
        answer["response"].as_array().unwrap().iter().map(|row| row["backlinkpage"].clone()).collect()
    };
    assert_eq!(pages(&part), pages(&whole));
}

/// A web with enough links into one host for an answer of many chunks.
fn large(config: ApiConfig) -> Server {
    Server::start_with(&many_links(), config, AuthPolicy::Open)
}

fn many_links() -> Vec<VisitRecord> {
    (0..300)
        .map(|number| {
            let links =
                (0..40).map(|at| link(&format!("http://large.example/{at}"), &"x".repeat(100))).collect();
            page(&format!("http://s{number}.example/"), "192.0.2.1", "SE", links)
        })
        .collect()
}

fn small_pieces() -> ApiConfig {
    ApiConfig { stream_piece_bytes: 4_096, ..ApiConfig::default() }
}

#[test]
fn a_long_answer_is_streamed_and_complete() {
    let (streamed, whole) =
        (large(small_pieces()), large(ApiConfig { stream_piece_bytes: 1 << 30, ..ApiConfig::default() }));
    for target in [
        "/backlinks?url=large.example",
        "/exportbacklinks?url=large.example",
        "/linkedpages?url=large.example",
    ] {
        for format in ["csv", "jsonl"] {
            let target = format!("{target}&format={format}");
            let expected = whole.client.get(&target);
            assert!(expected.header("content-length").is_some());
            for headers in [&[][..], &["Accept-Encoding: gzip"], &["Accept-Encoding: zstd"]] {
                let reply = streamed.client.send("GET", &target, headers, b"");
                assert_eq!(reply.text(), expected.text(), "{target} {headers:?}");
                let is_long = expected.body.len() > 4_096;
                assert_eq!(reply.header("transfer-encoding"), is_long.then_some("chunked"), "{target}");
                let tag = reply.header("etag").unwrap();
                assert_eq!(tag.starts_with("W/"), is_long, "{target}: {tag}");
                let condition = format!("If-None-Match: {tag}");
                let headers: Vec<&str> = headers.iter().copied().chain([condition.as_str()]).collect();
                assert_eq!(streamed.client.send("GET", &target, &headers, b"").status, 304, "{target}");
            }
            assert_eq!(streamed.client.send("HEAD", &target, &[], b"").status, 200);
        }
    }
}

/// A streamed response has a tag only if the state of the store determines its content. It has none if it shows an
/// earlier state, or if it depends on the day.
#[test]
fn a_stream_that_may_change_without_a_write_has_no_tag() {
    let server = Server::start_refreshing(&many_links(), small_pieces(), Span::seconds(3_600));
    let list = "/backlinks?url=large.example&format=csv";
    let before = server.client.get(list);
    let tag = before.header("etag").unwrap().to_owned();
    assert!(tag.starts_with("W/") && before.header("transfer-encoding").is_some());
    let source = page("http://new.example/", "", "", vec![link("http://large.example/", "")]);
    server.store.put(&[source]).unwrap();
    let condition = format!("If-None-Match: {tag}");
    let stale = server.client.send("GET", list, &[&condition], b"");
    assert_eq!((stale.status, stale.header("etag")), (200, None));
    assert_eq!(stale.text(), before.text());
    let new = "/newbacklinks?url=large.example&from=20240101&format=csv";
    assert_eq!(server.client.get(new).header("etag"), None);
    assert!(server.client.get(&format!("{new}&to=20240601&scope=host")).header("etag").is_some());
}

/// Begins to read a response; returns the number of received bytes, and the connection.
fn begin(client: &Client, target: &str) -> TcpStream {
    let mut stream = TcpStream::connect(client.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    write!(stream, "GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut start = [0; 100];
    stream.read_exact(&mut start).unwrap();
    assert!(start.starts_with(b"HTTP/1.1 200"));
    stream
}

/// One place for streams is held by a client that reads nothing. Others get the place once that client disconnects, or
/// is cut off.
#[test]
fn clients_that_disconnect_or_do_not_read_free_their_place() {
    let config = ApiConfig {
        max_concurrent_streams: 1,
        write_timeout: Span(Duration::from_secs(4)),
        ..small_pieces()
    };
    let server = large(config);
    // The response exceeds the socket buffers, so that it cannot be sent completely to a client that does not read.
    let many: Vec<_> = (0..60)
        .map(|number| {
            let links =
                (0..100).map(|at| link(&format!("http://huge.example/{at}"), &"y".repeat(500))).collect();
            page(&format!("http://h{number}.example/{}", "z".repeat(1_500)), "192.0.2.1", "SE", links)
        })
        .collect();
    server.store.put(&many).unwrap();
    let target = "/exportbacklinks?url=huge.example&format=jsonl";
    let quick = || server.client.get("/linkedpages?url=large.example&format=csv&limit=1").status;

    drop(begin(&server.client, target));
    let start = Instant::now();
    assert_eq!(quick(), 200);
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());

    let mut idle = begin(&server.client, target);
    assert_eq!(server.client.get("/linkedpages?url=large.example").status, 200, "JSON has places of its own");
    std::thread::sleep(Duration::from_secs(5));
    assert_eq!(quick(), 200);
    // A response that was broken off is recognisable as incomplete.
    let mut rest = Vec::new();
    let _ = idle.read_to_end(&mut rest);
    let body = rest.windows(4).position(|four| four == b"\r\n\r\n").map(|at| &rest[at + 4..]).unwrap();
    assert!(!body.ends_with(b"0\r\n\r\n"), "{} bytes look complete", body.len());
    assert!(unchunked_or_cut(body).is_none());
}

fn unchunked_or_cut(body: &[u8]) -> Option<Vec<u8>> {
    // A cut within a chunk header is a cut as well.
    std::panic::catch_unwind(|| unchunked(body)).ok().flatten()
}

#[test]
fn an_export_is_resumed_while_pages_are_stored() {
    let server = large(small_pieces());
    let before = export(&server.client, "exportbacklinks", "large.example", 10_000);
    let mut stream = begin(
        &server.client,
        "/exportbacklinks?url=large.example&format=jsonl&fields=backlinkpage,linktarget",
    );
    for number in 0..20 {
        let links = vec![link("http://large.example/0", "new"), link("http://large.example/9", "new")];
        server.store.put(&[page(&format!("http://new{number}.example/"), "", "", links)]).unwrap();
    }
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    let at = rest.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    let text = String::from_utf8(unchunked(&rest[at..]).expect("it broke off")).unwrap();
    let mut rows: Vec<&str> = text.lines().collect();
    let count = rows.len();
    rows.sort_unstable();
    rows.dedup();
    assert_eq!(rows.len(), count, "a row was repeated");
    let old = rows.iter().filter(|row| !row.contains("http://new")).count();
    assert_eq!(old, before.len(), "a row was lost");
}

#[test]
fn unknown_parameters_are_ignored_with_a_warning() {
    let server = Server::start(&random(84, 60));
    let warnings = |reply: &Reply| reply.json()["warnings"].clone();
    for endpoint in ENDPOINTS {
        let needed = required(endpoint.name, "example.com");
        let plain = server.client.json(&format!("/{}?{needed}", endpoint.name));
        assert!(plain.get("warnings").is_none(), "{}: {plain}", endpoint.name);
        let odd = server.client.get(&format!("/{}?{needed}&api_key=1&Limit=3", endpoint.name));
        assert_eq!(odd.status, 200, "{}", endpoint.name);
        assert!(warnings(&odd)[0].as_str().unwrap().contains("\"api_key\""), "{}", endpoint.name);
        assert!(warnings(&odd)[1].as_str().unwrap().contains("\"Limit\""), "{}", endpoint.name);
        let mut same = odd.json();
        same.as_object_mut().unwrap().remove("warnings");
        // The size of the index is counted for each request.
        if endpoint.name != "stats" {
            assert_eq!(same, plain, "{}", endpoint.name);
        }
    }
    let csv = server.client.get("/backlinks?url=example.com&format=csv&api_key=1");
    assert!(csv.header("x-warnings").unwrap().contains("api_key"), "{csv:?}");
}
