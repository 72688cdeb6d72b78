//! The documentation pages of a Debian system, compared with another parser. One page in ten is compared, and all of
//! them with `BACKLINKD_WHOLE_WEB=1`.

use backlinkd::config::ParseConfig;
use backlinkd::model::MediaType;
use backlinkd::parse::{HtmlResponse, ParsedPage, parse};
use backlinkd::urls::UrlRules;
use rayon::prelude::*;

use crate::support::true_links::{Mounts, OurLink, TruePage, built_web, lines};

#[test]
fn links_of_the_built_web_equal_those_of_another_parser() {
    let (Some(lines), Some(web)) = (lines(), built_web()) else { return };
    let Some(mounts) = Mounts::of(&web) else { return };
    let step = if std::env::var_os("BACKLINKD_WHOLE_WEB").is_some() { 1 } else { 10 };
    let lines: Vec<String> = lines.step_by(step).collect();
    let (links, differences) = lines
        .par_iter()
        .filter_map(|line| {
            let truth = TruePage::read(line);
            let body = std::fs::read(mounts.file(&truth.url)?).unwrap();
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
            Some((page.links.len(), truth.differences(&page.title, &ours)))
        })
        .reduce(Default::default, |one, other| (one.0 + other.0, [one.1, other.1].concat()));
    assert!(links > 1_500_000 / step, "{links} links");
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

fn read(url: &str, body: &[u8]) -> ParsedPage {
    let rules = UrlRules::default();
    let url = rules.canonical(url).unwrap();
    let media_type = MediaType::parse(b"text/html");
    let media_type = media_type.as_ref();
    let answer =
        HtmlResponse { url: &url, media_type, x_robots_tag: &[], refresh: None, link_headers: &[], body };
    parse(&answer, &ParseConfig::default(), &rules, "backlinkd")
}
