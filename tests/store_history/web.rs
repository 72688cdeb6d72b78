//! The generated web of the histories, and the histories.

use std::sync::LazyLock;

use backlinkd::model::{
    Cut, FailureKind, Link, LinkTag, PageContent, PageFacts, Place, Rel, TlsFlaw, Visit, VisitRecord,
};
use backlinkd::urls::CanonicalUrl;
use proptest::prelude::*;
use proptest::sample::select;

use super::url;

/// Hosts that are easily confused: below and next to each other, with ports, as addresses, and as public suffixes with
/// other owners' domains below them.
pub const ORIGINS: [&str; 21] = [
    "http://example.com",
    "https://example.com",
    "http://example.com:8080",
    "http://www.example.com",
    "http://shop.example.com",
    "https://www.shop.example.com:8443",
    "http://example-shop.com",
    "http://example.com.au",
    "http://192.0.2.7",
    "http://192.0.2.7:8080",
    "http://192.0.2.70",
    "http://[2001:db8::1]",
    "https://github.io",
    "https://alice.github.io",
    "http://www.alice.github.io",
    "https://bob.github.io:444",
    "http://amazonaws.com",
    "http://www.amazonaws.com",
    "http://s3.amazonaws.com",
    "http://bucket.s3.amazonaws.com",
    "http://zeta.amazonaws.com",
];
const PATHS: [&str; 4] = ["/", "/a", "/a?b=c", "/ab"];

pub fn urls() -> &'static [CanonicalUrl] {
    static URLS: LazyLock<Vec<CanonicalUrl>> = LazyLock::new(|| {
        ORIGINS.iter().flat_map(|origin| PATHS.map(|path| url(&format!("{origin}{path}")))).collect()
    });
    &URLS
}

pub fn link(target: &str) -> Link {
    Link { target: url(target), tag: LinkTag::A, rel: Rel::NONE, anchor: "anchor".to_owned() }
}

pub fn answered(status: u16, links: Vec<Link>) -> Visit {
    let content = PageContent {
        facts: PageFacts { status, html: status == 200, title: "title".to_owned(), ..PageFacts::default() },
        links,
        ..PageContent::default()
    };
    Visit::Responded(Box::new(content))
}

/// Commits of records, in chronological order: a handful of pages, each visited several times.
pub fn histories() -> impl Strategy<Value = Vec<Vec<VisitRecord>>> {
    let pages = prop::collection::vec(select(urls()), 1..6);
    (pages, prop::collection::vec(select(urls()), 3..12)).prop_flat_map(|(pages, targets)| {
        let record = (select(pages), 0u64..3, visits(targets));
        prop::collection::vec(prop::collection::vec(record, 1..5), 1..8).prop_map(in_time)
    })
}

/// Gives each visit its time: this number of days after the previous one, and one second.
fn in_time(commits: Vec<Vec<(CanonicalUrl, u64, Visit)>>) -> Vec<Vec<VisitRecord>> {
    let mut time = 19_000 * 86_400;
    let mut timed = |(url, days, visit)| {
        time += days * 86_400 + 1;
        VisitRecord { url, visited: time, visit }
    };
    commits.into_iter().map(|records| records.into_iter().map(&mut timed).collect()).collect()
}

fn visits(targets: Vec<CanonicalUrl>) -> impl Strategy<Value = Visit> {
    let content = |statuses: Vec<u16>, links| {
        contents(statuses, links).prop_map(|content| Visit::Responded(Box::new(content)))
    };
    let links = prop::collection::vec(links(targets.clone()), 0..7).boxed();
    prop_oneof![
        8 => content(vec![200, 200, 206, 204], links.clone()),
        2 => content(vec![404, 410], links.clone()),
        2 => content(vec![500, 503, 429, 403, 304], links),
        2 => (select(targets), select(vec![301u16, 302, 303, 307, 308])).prop_map(|(target, status)| {
            let tag = LinkTag::from_redirect_status(status).unwrap();
            let link = Link { target, tag, rel: Rel::NONE, anchor: String::new() };
            Visit::Responded(Box::new(PageContent { facts: PageFacts { status, ..PageFacts::default() }, links: vec![link], ..PageContent::default() }))
        }),
        2 => (select(FailureKind::ALL.to_vec()), select(vec!["", "no answer", "größer"]))
            .prop_map(|(kind, cause)| Visit::Failed(kind, cause.to_owned())),
        2 => Just(Visit::NotModified),
    ]
}

fn links(targets: Vec<CanonicalUrl>) -> impl Strategy<Value = Link> {
    let tags = vec![LinkTag::A, LinkTag::A, LinkTag::Aimg, LinkTag::Area, LinkTag::Iframe, LinkTag::Refresh];
    (select(targets), select(tags), 0u8..16, select(vec!["", "one", "two", "日本"])).prop_map(
        |(target, tag, rel, anchor)| Link {
            target,
            tag,
            rel: Rel::from_bits(rel),
            anchor: anchor.to_owned(),
        },
    )
}

fn contents(statuses: Vec<u16>, links: BoxedStrategy<Vec<Link>>) -> impl Strategy<Value = PageContent> {
    let ips = vec![None, Some("192.0.2.1".parse().unwrap()), Some("2001:db8::2".parse().unwrap())];
    let places = vec![
        Place::default(),
        Place { ccode: "DE".to_owned(), country: "Germany".to_owned(), city: "Köln".to_owned() },
    ];
    (
        select(statuses),
        links,
        select(ips),
        select(places),
        select(vec!["", "title"]),
        any::<(bool, bool, bool, u64)>(),
        prop::option::weighted(0.3, select(Cut::ALL.to_vec())),
        prop::option::of(select(urls())),
    )
        .prop_map(
            |(status, links, ip, place, title, (html, noindex, challenge, digest), cut, canonical)| {
                PageContent {
                    facts: PageFacts {
                        status,
                        ip,
                        place,
                        title: title.to_owned(),
                        description: title.repeat(3),
                        content_type: "text/html".to_owned(),
                        charset: "utf-8".to_owned(),
                        directives: backlinkd::model::Directives { noindex, nofollow: !noindex },
                        canonical,
                        html,
                        cut,
                        tls: TlsFlaw::from_code((digest % 9) as u8),
                        digest,
                        etag: format!("\"{digest}\""),
                        last_modified: String::new(),
                    },
                    links,
                    challenge: challenge && digest % 8 == 0,
                    cause: if cut.is_some() { "why".to_owned() } else { String::new() },
                }
            },
        )
}
