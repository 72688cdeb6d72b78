//! WAT records: a page as the tool writes it, and odd ones.

use backlinkd::warc::wat::{WatPage, mend_surrogates};
use backlinkd::warc::{RecordKind, Truncation};
use bytes::Bytes;
use serde_json::{Value, json};

use super::Contents;
use crate::support::dice::Dice;
use crate::support::shared;

fn page() -> Value {
    json!({
        "Container": {"Filename": "a.warc.gz", "Compressed": true, "Offset": "12"},
        "Envelope": {
            "Format": "WARC",
            "WARC-Header-Metadata": {
                "WARC-Type": "response",
                "WARC-Date": "2024-02-29T12:30:15Z",
                "WARC-Target-URI": "https://a.test/p",
                "WARC-IP-Address": "192.0.2.7",
                "WARC-Truncated": "length",
            },
            "Payload-Metadata": {
                "Actual-Content-Type": "application/http; msgtype=response",
                "HTTP-Response-Metadata": {
                    "Response-Message": {"Status": "200", "Version": "HTTP/1.1", "Reason": "OK"},
                    "Headers": {
                        "Content-Type": "text/html; charset=UTF-8",
                        "X-Robots-Tag": ["noindex", "nofollow"],
                        "Age": 7,
                    },
                    "HTML-Metadata": {
                        "Head": {
                            "Base": "/base/",
                            "Title": "A \"title\" \u{1f600}",
                            "Metas": [
                                {"name": "robots", "content": "nofollow"},
                                {"http-equiv": "refresh", "content": "0; url=/next"},
                                {"property": "og:url", "content": "x"},
                            ],
                            "Link": [{"path": "LINK@/href", "url": "/style.css", "rel": "stylesheet", "type": "text/css"}],
                            "Scripts": [{"path": "SCRIPT@/src", "url": "/s.js"}],
                        },
                        "Links": [
                            {"path": "A@/href", "url": "/next", "text": "Next \u{e9}", "rel": "nofollow", "title": "t"},
                            {"path": "IMG@/src", "url": "i.png", "alt": "An image"},
                            {"path": "FORM@/action", "url": "", "method": "post"},
                        ],
                    },
                },
            },
        },
    })
}

#[test]
fn a_page_has_its_links() {
    let block = page().to_string();
    let page = WatPage::parse(block.as_bytes()).unwrap().unwrap();
    assert_eq!(
        (page.url.as_ref(), page.status, page.unix_seconds),
        ("https://a.test/p", 200, Some(1_709_209_815))
    );
    assert_eq!((page.ip, page.truncation), (Some([192, 0, 2, 7].into()), Some(Truncation::Length)));
    let mut headers: Vec<(&str, &str)> = page.headers.iter().map(|(n, v)| (n.as_ref(), v.as_ref())).collect();
    headers.sort_unstable();
    assert_eq!(
        headers,
        [
            ("Age", "7"),
            ("Content-Type", "text/html; charset=UTF-8"),
            ("X-Robots-Tag", "nofollow"),
            ("X-Robots-Tag", "noindex"),
        ]
    );
    let html = page.html.unwrap();
    assert_eq!(
        (html.base.as_deref(), html.title.as_deref()),
        (Some("/base/"), Some("A \"title\" \u{1f600}"))
    );
    let metas: Vec<_> = html
        .metas
        .iter()
        .map(|m| [&m.name, &m.http_equiv, &m.property, &m.content].map(|t| t.as_deref()))
        .collect();
    assert_eq!(
        metas,
        [
            [Some("robots"), None, None, Some("nofollow")],
            [None, Some("refresh"), None, Some("0; url=/next")],
            [None, None, Some("og:url"), Some("x")],
        ]
    );
    let links: Vec<_> = html
        .links
        .iter()
        .map(|l| {
            (
                l.element(),
                l.attribute(),
                l.url.as_ref(),
                l.text.as_deref().or(l.alt.as_deref()),
                l.rel.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        links,
        [
            ("LINK", "href", "/style.css", None, Some("stylesheet")),
            ("SCRIPT", "src", "/s.js", None, None),
            ("A", "href", "/next", Some("Next \u{e9}"), Some("nofollow")),
            ("IMG", "src", "i.png", Some("An image"), None),
            ("FORM", "action", "", None, None),
        ]
    );
}

#[test]
fn other_records_are_no_pages() {
    let parsed = |value: &Value| WatPage::parse(value.to_string().as_bytes()).unwrap().is_some();
    for (pointer, value, is_page) in [
        ("/Envelope/WARC-Header-Metadata/WARC-Type", json!("request"), false),
        ("/Envelope/WARC-Header-Metadata/WARC-Type", json!("Response"), true),
        ("/Envelope/WARC-Header-Metadata/WARC-Type", json!("revisit"), true),
        ("/Envelope/Payload-Metadata/HTTP-Response-Metadata", Value::Null, false),
        ("/Envelope/Payload-Metadata", Value::Null, false),
        ("/Envelope", Value::Null, false),
        ("/Envelope/Payload-Metadata/HTTP-Response-Metadata/HTML-Metadata", Value::Null, true),
        ("/Envelope/Payload-Metadata/HTTP-Response-Metadata/Response-Message/Status", json!(404), true),
        ("/Envelope/Payload-Metadata/HTTP-Response-Metadata/HTML-Metadata/Links", json!([]), true),
        (
            "/Envelope/Payload-Metadata/HTTP-Response-Metadata/HTML-Metadata/Head/Title",
            json!({"a": [1]}),
            true,
        ),
        (
            "/Envelope/Payload-Metadata/HTTP-Response-Metadata/HTML-Metadata/Links/0/rel",
            json!(["a", {}]),
            true,
        ),
        ("/Envelope/Payload-Metadata/HTTP-Response-Metadata/Headers/Age", Value::Null, true),
    ] {
        let mut record = page();
        *record.pointer_mut(pointer).unwrap() = value;
        assert_eq!(parsed(&record), is_page, "{pointer} {record}");
    }
    for text in ["", "[]", "{", "{\"Envelope\": 5}", "{}x"] {
        assert!(WatPage::parse(text.as_bytes()).is_err(), "{text}");
    }
    // An ARC file has other names.
    let mut record = page();
    let envelope = record["Envelope"].as_object_mut().unwrap();
    envelope.remove("WARC-Header-Metadata");
    let header = json!({"Target-URI": "http://a.test/", "IP-Address": "192.0.2.8", "Date": "2024-02"});
    envelope.insert("ARC-Header-Metadata".to_owned(), header);
    let block = record.to_string();
    let page = WatPage::parse(block.as_bytes()).unwrap().unwrap();
    assert_eq!((page.url.as_ref(), page.unix_seconds), ("http://a.test/", Some(1_706_745_600)));
}

#[test]
fn a_text_that_ends_within_a_character_costs_no_page() {
    let block = page().to_string().replace("Next é", "Next \\ud83d");
    assert!(WatPage::parse(block.as_bytes()).is_err());
    let mended = mend_surrogates(Bytes::from(block));
    let page = WatPage::parse(&mended).unwrap().unwrap();
    assert_eq!(page.html.unwrap().links[2].text.as_deref(), Some("Next \u{fffd}"));
}

#[test]
fn damaged_records_are_errors() {
    let good = page().to_string().into_bytes();
    let mut dice = Dice(5);
    for _ in 0..20_000 {
        let mut block = good.clone();
        let at = usize::try_from(dice.below(block.len() as u64)).unwrap();
        match dice.below(3) {
            0 => block.truncate(at),
            1 => block[at] ^= 1 << dice.below(8),
            _ => _ = block.remove(at),
        }
        let mended = mend_surrogates(block.into());
        let _ = WatPage::parse(&mended);
    }
    let deep = "[".repeat(1_000_000);
    assert!(WatPage::parse(format!("{{\"Envelope\":{{\"x\":{deep}").as_bytes()).is_err());
}

#[test]
fn the_records_of_a_wat_file_are_read() {
    let Some(folder) = shared("warc") else { return };
    let contents = Contents::of(&std::fs::read(folder.join("commoncrawl/whirlwind.warc.wat.gz")).unwrap());
    let metadata: Vec<_> =
        contents.records.iter().filter(|record| record.head.kind == RecordKind::Metadata).collect();
    assert_eq!(metadata.len(), 1);
    assert_eq!(metadata[0].head.content_type.as_deref(), Some("application/json"));
    // It is about a request.
    assert_eq!(WatPage::parse(&metadata[0].block).unwrap(), None);
}
