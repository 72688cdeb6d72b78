//! The queries of the serving table, each on one domain.

use std::hint::black_box;

use backlinkd::query::Window;

use super::engine::Engine;

/// A row of the table. `run` returns a number that identifies the answer: equal data give an equal number.
pub struct Query {
    pub name: &'static str,
    pub run: fn(&Engine, &str) -> usize,
}

/// The targets, by the number of links that lead to them, lost ones included.
pub const TARGETS: [(&str, &str); 4] = [
    ("100", "nakohe-ve7666.fr"),
    ("10k", "mesewiha-ci66.com"),
    ("100k", "sto-chusastisti5.ru"),
    ("1M", "berore-shipelapu0.com"),
];

const FIRST: Window = Window { offset: 0, limit: 50 };
const DEEP: Window = Window { offset: 1_000, limit: 50 };

/// Counts and rollups first, then plain lists, then lists with `where`, then whole scopes.
pub const QUERIES: &[Query] = &[
    query("count", |engine, domain| engine.counts(domain).all.backlinks as usize),
    query("domainpopularity", |engine, domain| engine.counts(domain).all.refdoms as usize),
    query("linkratio", |engine, domain| engine.counts(domain).home as usize),
    query("linktypes, linkspread", |engine, domain| engine.counts(domain).text as usize),
    query("ippopularity", |engine, domain| engine.statistics(domain).addresses.ipv4 as usize),
    query("srspread", |engine, domain| engine.statistics(domain).by_rank[1] as usize),
    query("edugovlinks", |engine, domain| {
        let counts = engine.counts(domain);
        (counts.edu.backlinks + counts.gov.backlinks) as usize
    }),
    query("geolocationshort", |engine, domain| list(engine, domain, "geolocationshort", "")),
    query("histograms", |engine, domain| engine.statistics(domain).history.len()),
    query("backlinks by sr", |engine, domain| list(engine, domain, "backlinks", "")),
    query("backlinks filtered, offset 1000", |engine, domain| {
        count(engine, domain, "backlinks", "pos gt 10 AND nofollow eq false", &["extL"], DEEP)
    }),
    query("linktexts", |engine, domain| list(engine, domain, "linktexts", "")),
    query("referringdomains", |engine, domain| list(engine, domain, "referringdomains", "")),
    query("tldlist", |engine, domain| list(engine, domain, "tldlist", "")),
    query("iplist", |engine, domain| list(engine, domain, "iplist", "")),
    query("linktexts where frequency", |engine, domain| list(engine, domain, "linktexts", "frequency gt 3")),
    query("linktexts where anchortext", |engine, domain| {
        list(engine, domain, "linktexts", "anchortext like '%tra%'")
    }),
    query("referringdomains where links", |engine, domain| {
        list(engine, domain, "referringdomains", "links gt 5")
    }),
    query("referringdomains where ccode", |engine, domain| {
        list(engine, domain, "referringdomains", "ccode eq 'US'")
    }),
    query("tldlist where links", |engine, domain| list(engine, domain, "tldlist", "links gt 5")),
    query("iplist where links", |engine, domain| list(engine, domain, "iplist", "links gt 5")),
    query("iplist where ccode", |engine, domain| list(engine, domain, "iplist", "ccode eq 'US'")),
    query("a filter that no order helps", |engine, domain| {
        let filter = "intL gt 40 AND title like '%tra%' AND ccode ne 'US'";
        count(engine, domain, "backlinks", filter, &["-pos"], FIRST)
    }),
    query("export as JSON", Engine::export),
    query("index of a scope never queried", Engine::build),
];

const fn query(name: &'static str, run: fn(&Engine, &str) -> usize) -> Query {
    Query { name, run }
}

/// Reads the first rows of a list in its default order; returns the total number of rows.
fn list(engine: &Engine, domain: &str, endpoint: &str, filter: &str) -> usize {
    count(engine, domain, endpoint, filter, &[], FIRST)
}

fn count(
    engine: &Engine,
    domain: &str,
    endpoint: &str,
    filter: &str,
    order: &[&str],
    window: Window,
) -> usize {
    black_box(engine.list(domain, endpoint, filter, order, window)).count
}
