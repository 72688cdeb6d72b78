//! The documentation pages of a Debian system, as another parser reads them. One page in ten is compared, all of
//! them with `BACKLINKD_WHOLE_WEB=1`.

use std::path::{Path, PathBuf};

use backlinkd::config::ParseConfig;
use backlinkd::parse::{Answer, ParsedPage, parse};
use backlinkd::urls::UrlRules;
use percent_encoding::percent_decode_str;
use rayon::prelude::*;

use crate::support::true_links::{OurLink, TruePage, built_web, lines};

#[test]
fn links_of_the_built_web_are_those_another_parser_sees() {
    let (Some(lines), Some(web)) = (lines(), built_web()) else { return };
    let mounts = std::fs::read_to_string(web.join("conf/mounts.tsv")).unwrap();
    let mounts = longest_first(&mounts);
    let step = if std::env::var_os("BACKLINKD_WHOLE_WEB").is_some() { 1 } else { 10 };
    let lines: Vec<String> = lines.step_by(step).collect();
    let (links, differences) = lines
        .par_iter()
        .map(|line| {
            let truth = TruePage::read(line);
            let body = std::fs::read(file_of(&truth.url, &web, &mounts)).unwrap();
            let page = read(&truth.url, &body);
            let ours: Vec<OurLink<'_>> = page
                .links
                .iter()
                .map(|link| OurLink {
                    tag: link.tag,
                    target: link.target.as_str(),
                    rel: link.rel,
                    anchor: &link.anchor,
                })
                .collect();
            (page.links.len(), truth.differences(&page.title, &ours))
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
