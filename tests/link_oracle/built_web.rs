//! The documentation pages of a Debian system (17,746 pages, 1,987,592 links), as another parser (lexbor, with
//! ada for URLs) reads them. One page in ten is compared, all of them with `BACKLINKD_WHOLE_WEB=1`.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use backlinkd::config::ParseConfig;
use backlinkd::model::{LinkTag, Rel};
use backlinkd::parse::{Answer, ParsedPage, parse};
use backlinkd::urls::UrlRules;
use flate2::read::GzDecoder;
use percent_encoding::percent_decode_str;
use rayon::prelude::*;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::without_fragment_and_credentials;
use crate::support::shared;

#[derive(Deserialize)]
struct TruePage {
    url: String,
    title: Option<String>,
    links: Vec<TrueLink>,
}

/// Tag, reference (not compared), resolved URL, `rel`, text, whether it holds an image.
#[derive(Deserialize)]
struct TrueLink(String, IgnoredAny, Option<String>, Option<String>, String, bool);

#[test]
fn links_of_the_built_web_are_those_another_parser_sees() {
    let Some(truth) = shared("web/links.jsonl.gz") else { return };
    let web = std::env::home_dir().unwrap_or_default().join(".cache/backlinkd/web");
    let Ok(mounts) = std::fs::read_to_string(web.join("conf/mounts.tsv")) else {
        eprintln!("SKIPPED: {} is absent; build the test web to run this test", web.display());
        return;
    };
    let mounts = longest_first(&mounts);
    let step = if std::env::var_os("BACKLINKD_WHOLE_WEB").is_some() { 1 } else { 10 };
    let lines = BufReader::new(GzDecoder::new(std::fs::File::open(truth).unwrap())).lines();
    let lines: Vec<String> = lines.step_by(step).map(Result::unwrap).collect();
    let (links, differences) = lines
        .par_iter()
        .map(|line| {
            let truth: TruePage = serde_json::from_str(line).unwrap();
            let body = std::fs::read(file_of(&truth.url, &web, &mounts)).unwrap();
            let page = read(&truth.url, &body);
            (page.links.len(), differences(&truth, &page))
        })
        .reduce(Default::default, |one, other| (one.0 + other.0, [one.1, other.1].concat()));
    assert!(links > 1_500_000 / step, "{links} links");
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

/// Host, prefix and folder of every mount, longer prefixes first.
fn longest_first(mounts: &str) -> Vec<Vec<&str>> {
    let mut mounts: Vec<Vec<&str>> = mounts.lines().skip(1).map(|line| line.split('\t').collect()).collect();
    mounts.sort_by_key(|mount| std::cmp::Reverse(mount[1].len()));
    mounts
}

fn file_of(url: &str, web: &Path, mounts: &[Vec<&str>]) -> PathBuf {
    let (host, path) = url.split_once("://").unwrap().1.split_once('/').unwrap();
    let path = format!("/{}", percent_decode_str(path).decode_utf8().unwrap());
    let mount = mounts.iter().find(|mount| mount[0] == host && path.starts_with(mount[1])).unwrap();
    web.join(mount[2]).join(&path[mount[1].len()..])
}

fn read(url: &str, body: &[u8]) -> ParsedPage {
    let rules = UrlRules::default();
    let url = rules.canonical(url).unwrap();
    let content_type = Some("text/html");
    let answer =
        Answer { url: &url, content_type, x_robots_tag: &[], refresh: None, link_headers: &[], body };
    parse(&answer, &ParseConfig::default(), &rules, "backlinkd")
}

fn differences(truth: &TruePage, page: &ParsedPage) -> Vec<String> {
    let mut found = Vec::new();
    if page.title != truth.title.as_deref().unwrap_or_default() {
        found.push(format!("{}: title {:?}, theirs {:?}", truth.url, page.title, truth.title));
    }
    let theirs = truth.links.iter().filter_map(|link| told(link, truth));
    let ours = page.links.iter().filter(|link| link.tag != LinkTag::Refresh).map(|link| {
        let rel = Rel::from_bits(link.rel.bits() & !Rel::PAGE_NOFOLLOW.bits());
        let has_text = link.tag == LinkTag::A;
        (link.tag.as_str(), link.target.to_string(), rel, has_text.then(|| link.anchor.clone()))
    });
    let (ours, theirs): (Vec<_>, Vec<_>) = (ours.collect(), theirs.collect());
    if ours.len() != theirs.len() {
        found.push(format!("{}: {} links, theirs {}", truth.url, ours.len(), theirs.len()));
    }
    let differing = ours.iter().zip(&theirs).filter(|(ours, theirs)| ours != theirs);
    found.extend(differing.map(|(ours, theirs)| format!("{}: {ours:?}, theirs {theirs:?}", truth.url)));
    found
}

/// A link as both sides can tell it: tag, URL, `rel`, and the text where it is an `a` without an image (theirs
/// knows no `alt`s); `None` when it is no link by the index's rules.
fn told<'t>(link: &'t TrueLink, page: &TruePage) -> Option<(&'t str, String, Rel, Option<String>)> {
    let TrueLink(tag, _, url, rel, text, has_image) = link;
    let url = without_fragment_and_credentials(url.as_ref()?).filter(|url| *url != page.url)?;
    let rel = rel.as_deref().map_or(Rel::NONE, Rel::from_attribute);
    let tag = if tag == "a" && *has_image { "aimg" } else { tag };
    let cut: String = text.chars().take(ParseConfig::default().max_anchor_chars).collect();
    Some((tag, url, rel, (tag == "a").then(|| cut.trim_end_matches(' ').to_owned())))
}
