//! The links of odd pages: those of a browser (Chromium, scripting off) compared with those of the parser.

mod built_web;
mod documents;
mod whole_tree;

use std::path::Path;

use backlinkd::config::ParseConfig;
use backlinkd::model::{LinkTag, MediaType};
use backlinkd::parse::{HtmlResponse, ParsedPage, parse};
use backlinkd::sniff::is_html;
use backlinkd::urls::UrlRules;
use serde::Deserialize;

use crate::support::shared;
use crate::support::true_links::{without_blanks, without_fragment_and_credentials};

/// Intended differences between the index and the browser: the link as the browser resolves it, the parser's link
/// (`None`: no link), and the reason. Links with credentials or a fragment lose them everywhere.
const DELIBERATE: [(&str, Option<&str>, &str); 5] = [
    ("http://host.example./x", Some("http://host.example/x"), "the canonical form drops the host's last dot"),
    ("http://host..example/", None, "no resolver knows a host with an empty label"),
    ("http://a%20b/", None, "the URL Standard allows no blank in a host; Chromium escapes it"),
    (
        "http://odd.test/%3C%3E%22%60%7B%7D%7C/%5E",
        Some("http://odd.test/%3C%3E%22%60%7B%7D|/%5E"),
        "the URL Standard leaves `|` alone in paths; Chromium escapes it",
    ),
    (
        "https://b.example/%3C%3E%22%60%7B%7D%7C/%5E",
        Some("https://b.example/%3C%3E%22%60%7B%7D|/%5E"),
        "as above",
    ),
];

#[derive(Deserialize)]
struct OraclePage {
    file: String,
    http_content_type: String,
    document_url: String,
    charset: String,
    title: String,
    canonical: Option<String>,
    meta_robots: Vec<(String, String)>,
    meta_refresh: Vec<String>,
    links: Vec<OracleLink>,
}

#[derive(Deserialize)]
struct OracleLink {
    tag: String,
    raw: Option<String>,
    abs: Option<String>,
    /// ":" if the browser cannot parse the URL; absent for SVG links.
    protocol: Option<String>,
    rel: Option<String>,
    text: Option<String>,
    has_img: bool,
    img_alts: Vec<Option<String>>,
    alt: Option<String>,
    title: Option<String>,
}

/// A link with the properties that both sides know: tag, URL, anchor text, nofollow. The browser's text is plain text
/// content: it has no blanks at the edges of blocks, and perhaps direction marks at its ends.
type Told = (String, String, String, bool);

#[test]
fn links_equal_those_of_a_browser() {
    let Some(oracle) = shared("linkoracle/oracle.jsonl") else { return };
    let pages = oracle.with_file_name("pages");
    let lines = std::fs::read_to_string(&oracle).unwrap();
    let mut wrong = Vec::new();
    let mut compared = 0;
    for line in lines.lines() {
        let expected: OraclePage = serde_json::from_str(line).unwrap();
        compare(&expected, &read(&expected, &pages), &mut wrong);
        compared += 1;
    }
    assert_eq!(compared, 124, "pages of the oracle");
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}

fn read(page: &OraclePage, pages: &Path) -> ParsedPage {
    let body = std::fs::read(pages.join(&page.file)).unwrap();
    let rules = UrlRules::default();
    let url = rules.canonical(&page.document_url).unwrap();
    let media_type = MediaType::extract([&page.http_content_type]);
    let media_type = media_type.as_ref();
    assert!(is_html(media_type, &body), "{}", page.file);
    let answer = HtmlResponse {
        url: &url,
        media_type,
        x_robots_tag: &[],
        refresh: None,
        link_headers: &[],
        body: &body,
    };
    parse(&answer, &ParseConfig::default(), &rules, "backlinkd")
}

fn compare(expected: &OraclePage, page: &ParsedPage, wrong: &mut Vec<String>) {
    let mut check = |what: &str, ours: &str, theirs: &str| {
        if ours != theirs {
            wrong.push(format!("{}: {what}: ours {ours:?}, the browser's {theirs:?}", expected.file));
        }
    };
    check("charset", &page.charset, &expected.charset.to_ascii_lowercase());
    check("title", &page.title, &expected.title);
    let canonical = page.canonical.as_ref().map(|url| url.as_str());
    check("canonical", canonical.unwrap_or("none"), expected.canonical.as_deref().unwrap_or("none"));
    let nofollow = expected.meta_robots.iter().any(|(_, content)| content.contains("nofollow"));
    let theirs: Vec<Told> = expected.links.iter().filter_map(|link| told(link, expected, nofollow)).collect();
    let refreshes = page.links.iter().filter(|link| link.tag == LinkTag::Refresh).count();
    check("refreshes", &refreshes.to_string(), &expected.meta_refresh.len().to_string());
    let ours: Vec<Told> = page
        .links
        .iter()
        .filter(|link| link.tag != LinkTag::Refresh)
        .map(|link| {
            let anchor = without_blanks(&link.anchor);
            (link.tag.to_string(), link.target.to_string(), anchor, link.rel.is_nofollow())
        })
        .collect();
    if ours != theirs {
        let missing: Vec<_> = theirs.iter().filter(|link| !ours.contains(link)).collect();
        let extra: Vec<_> = ours.iter().filter(|link| !theirs.contains(link)).collect();
        wrong.push(format!("{}: missing {missing:#?}, extra {extra:#?}", expected.file));
    }
}

/// The browser's link by the rules of the index; `None` if it is no link by them.
fn told(link: &OracleLink, page: &OraclePage, page_nofollow: bool) -> Option<Told> {
    link.raw.as_ref().filter(|_| link.protocol.as_deref() != Some(":"))?;
    let abs = without_fragment_and_credentials(link.abs.as_ref()?)?;
    if abs == page.document_url {
        return None;
    }
    let url = match DELIBERATE.iter().find(|(theirs, ..)| *theirs == abs) {
        Some((_, ours, _)) => (*ours)?.to_owned(),
        None => abs,
    };
    let tag = if link.tag == "a" && link.has_img { "aimg" } else { &link.tag };
    let text = match tag {
        "area" => link.alt.clone(),
        "iframe" | "frame" => link.title.clone(),
        "aimg" if link.text.as_deref().is_some_and(|text| without_blanks(text).is_empty()) => {
            Some(link.img_alts.iter().flatten().map(|alt| alt.trim()).collect::<Vec<_>>().join(" "))
        }
        _ => link.text.clone(),
    };
    let nofollow = link.rel.as_deref().is_some_and(|rel| {
        let rel = rel.to_ascii_lowercase();
        let mut tokens = rel.split(|c: char| c == ',' || c.is_ascii_whitespace());
        tokens.any(|token| ["nofollow", "ugc", "sponsored"].contains(&token))
    });
    let text = without_blanks(&text.unwrap_or_default());
    let text = text.trim_matches(['\u{202c}', '\u{202e}']).to_owned();
    Some((tag.to_owned(), url, text, nofollow || page_nofollow))
}
