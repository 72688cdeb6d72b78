//! The tools.

use super::argument::Argument;
use super::tool::{AgentTool, RowsOf, Source};
use crate::api::endpoints;
use crate::api::request::parameter::{
    ACTIVE, AT_LEAST, EXCLUDE, FIELDS, FROM, FROM_FIRST, GROUP, INTERNAL, LIMIT, OFFSET, ORDER, SCOPE, SINCE,
    STEP, TARGETS, TO, URL, WHERE,
};

// Every tool repeats these descriptions, so they are short.
const SITE: Argument =
    Argument::of(URL).described("A URL with a path, a host, or a registrable domain with all its hosts.");
const KIND: Argument = Argument::of(SCOPE).described("What the URL selects, whatever its form.");
const OWN_LINKS: Argument = Argument::of(INTERNAL).described("Whether links within one domain count.");
const SORTED: Argument = Argument::of(ORDER)
    .named("order")
    .described("Fields of `where` to sort by; `-` before one sorts in descending order.");
const MATCHING: Argument = Argument::of(WHERE).described(
    "A condition on rows: `field op value`, joined by AND, OR, NOT and parentheses. Operators: lt le gt ge eq ne, in (…), \
     and for texts like, notlike, contains, startswith, endswith, matches. Texts are in single quotes.",
);
const ROWS: Argument = Argument::of(LIMIT).described("Rows to give; 0: the count alone.");
const SKIPPED: Argument = Argument::of(OFFSET).described("nextOffset of the page before.");
const COLUMNS: Argument = Argument::of(FIELDS).described("The columns to give.");

/// Columns of lists of links.
const LINK_COLUMNS: &[&str] =
    &["backlinkpage", "title", "linktarget", "linktext", "tag", "nofollow", "sr", "insDate", "updDate"];
const LOST_COLUMNS: &[&str] =
    &["backlinkpage", "title", "linktarget", "linktext", "nofollow", "sr", "insDate", "lostDate", "reason"];
const CHANGE_COLUMNS: &[&str] = &["domain", "date", "links", "sr", "ccode"];

/// All tools, in the order in which clients list them.
pub(super) static TOOLS: &[AgentTool] = &[
    SUMMARY,
    HISTORY,
    BACKLINKS,
    REFERRING_DOMAINS,
    ANCHORS,
    NEW_AND_LOST,
    COMPETITORS,
    GAP,
    OUTREACH_TARGETS,
    REDIRECTS,
    CRAWL_STATUS,
    INDEX_SIZE,
];

const fn source(endpoint: &'static crate::api::Endpoint, columns: &'static [&'static str]) -> Source {
    Source { word: "", endpoint, columns }
}

const SUMMARY: AgentTool = AgentTool {
    name: "summary",
    title: "Summary of a site",
    purpose: "Use it first for any site or page: all its figures at once, and the changes since a day.",
    counted: Some(
        "Has the rank of the site, its active backlinks by kind, its referring domains, their addresses and countries, its \
         lost links, its own pages and links, and what changed after the day `since`. `known` says whether a page of \
         the site was visited. Figures that are not computed yet are null, and `complete` is then false.",
    ),
    sources: &[source(&endpoints::summary::ENDPOINT, &[])],
    arguments: &[SITE, KIND, OWN_LINKS, Argument::of(SINCE)],
    omits_named_domains: false,
    rows: RowsOf::Nothing,
};

const HISTORY: AgentTool = AgentTool {
    name: "history",
    title: "Backlinks over time",
    purpose: "Use it for growth and decline: one row for each month, week or day.",
    counted: Some(
        "Has one row for each `step` of `from`..`to`, whether links changed or not. Totals are those at the end of the step; new \
         and lost links and domains are sums over its days. `firstSeen` counts the links that were seen for the first time.",
    ),
    sources: &[source(
        &endpoints::history::ENDPOINT,
        &[
            "date",
            "backlinks",
            "refdoms",
            "newBacklinks",
            "lostBacklinks",
            "newRefdoms",
            "lostRefdoms",
            "firstSeen",
        ],
    )],
    arguments: &[
        SITE,
        KIND,
        OWN_LINKS,
        Argument::of(FROM_FIRST),
        Argument::of(TO),
        Argument::of(STEP).described("The days of each row.").with_default("month"),
        ROWS,
        SKIPPED,
    ],
    omits_named_domains: false,
    rows: RowsOf::Key("history"),
};

const BACKLINKS: AgentTool = AgentTool {
    name: "backlinks",
    title: "Backlinks",
    purpose: "Use it for single links: which pages link to a site or page, with which text, how strong they are.",
    counted: None,
    sources: &[source(&endpoints::backlinks::ENDPOINT, LINK_COLUMNS)],
    arguments: &[
        SITE,
        KIND,
        OWN_LINKS,
        Argument::of(ACTIVE),
        Argument::of(GROUP),
        MATCHING,
        SORTED,
        ROWS,
        SKIPPED,
        COLUMNS,
    ],
    omits_named_domains: false,
    rows: RowsOf::Endpoint,
};

const REFERRING_DOMAINS: AgentTool = AgentTool {
    name: "referring_domains",
    title: "Referring domains",
    purpose: "Use it for the domains that link to a site or page, with their rank, their links and the followed ones.",
    counted: Some(
        "Lists the registrable domains of the pages that the backlinks are on. `links` counts the backlinks from the domain, and \
         `followed` those that are not nofollow. `ccode` is the country of the address with most of them. `active=false` \
         lists the domains of lost links instead, and `active=all` both.",
    ),
    sources: &[source(
        &endpoints::referringdomains::ENDPOINT,
        &["domain", "sr", "links", "followed", "firstSeen", "lastSeen", "ccode"],
    )],
    arguments: &[SITE, KIND, OWN_LINKS, Argument::of(ACTIVE), MATCHING, SORTED, ROWS, SKIPPED, COLUMNS],
    omits_named_domains: false,
    rows: RowsOf::Endpoint,
};

const ANCHORS: AgentTool = AgentTool {
    name: "anchors",
    title: "Anchor texts",
    purpose: "Use it for the texts of the links to a site or page, and how many links and domains use each.",
    counted: None,
    sources: &[source(
        &endpoints::linktexts::ENDPOINT,
        &["anchortext", "frequency", "refdoms", "percentage", "type"],
    )],
    arguments: &[SITE, KIND, OWN_LINKS, MATCHING, SORTED, ROWS, SKIPPED, COLUMNS],
    omits_named_domains: false,
    rows: RowsOf::Endpoint,
};

const NEW_AND_LOST: AgentTool = AgentTool {
    name: "new_and_lost",
    title: "New and lost domains and links",
    purpose: "Use it for what came and went in a range of days, as rows.",
    counted: Some(
        "A domain is new on a day of its first active link after none, and lost on the day that its last one went; one that \
         came back has several rows. A link is new once, when it is first seen, though it may be lost since. Lost links \
         are those that have not come back. `links` counts the links that came or went on `date`.",
    ),
    sources: &[
        Source { word: "new_domains", endpoint: &endpoints::newdomains::ENDPOINT, columns: CHANGE_COLUMNS },
        Source { word: "lost_domains", endpoint: &endpoints::lostdomains::ENDPOINT, columns: CHANGE_COLUMNS },
        Source { word: "new_links", endpoint: &endpoints::newbacklinks::ENDPOINT, columns: LINK_COLUMNS },
        Source { word: "lost_links", endpoint: &endpoints::lostbacklinks::ENDPOINT, columns: LOST_COLUMNS },
    ],
    arguments: &[
        SITE,
        KIND,
        OWN_LINKS,
        Argument::of(FROM),
        Argument::of(TO),
        MATCHING,
        SORTED,
        ROWS,
        SKIPPED,
        COLUMNS,
    ],
    omits_named_domains: false,
    rows: RowsOf::Endpoint,
};

const COMPETITORS: AgentTool = AgentTool {
    name: "competitors",
    title: "Link competitors",
    purpose: "Use it to find sites that the same domains link to, for example as `competitors` of outreach_targets.",
    counted: None,
    sources: &[source(&endpoints::competitors::ENDPOINT, &["domain", "common", "refdoms", "jaccard", "sr"])],
    arguments: &[SITE, KIND, OWN_LINKS, MATCHING, SORTED, ROWS, SKIPPED, COLUMNS],
    omits_named_domains: false,
    rows: RowsOf::Endpoint,
};

const GAP: AgentTool = AgentTool {
    name: "gap",
    title: "Link intersect",
    purpose: "Use it to compare sites: the domains that link to several of them, or to some and not to others.",
    counted: None,
    sources: &[source(&endpoints::linkintersect::ENDPOINT, &[])],
    arguments: &[
        Argument::of(TARGETS).named("targets"),
        Argument::of(AT_LEAST),
        Argument::of(EXCLUDE).named("exclude"),
        KIND,
        OWN_LINKS,
        MATCHING,
        SORTED,
        ROWS,
        SKIPPED,
    ],
    omits_named_domains: false,
    rows: RowsOf::Endpoint,
};

const OUTREACH_TARGETS: AgentTool = AgentTool {
    name: "outreach_targets",
    title: "Outreach targets",
    purpose: "Use it to find domains worth asking for a link.",
    counted: Some(
        "Lists the registrable domains with an active link to at least `atLeast` of `competitors`, and with none to any of \
         `own`. The domains of `own` and of `competitors` are left out. `links1` counts the links to the first \
         competitor, `links2` those to the second, and so on. `links` is their sum, and `sr` the rank of the domain; the \
         strongest come first.",
    ),
    sources: &[source(&endpoints::linkintersect::ENDPOINT, &[])],
    arguments: &[
        Argument::of(EXCLUDE).named("own").required().described(
            "Your own sites or pages: URLs, hosts or domains. Domains that link to any of them are left out.",
        ),
        Argument::of(TARGETS).named("competitors").described(
            "Sites or pages of competitors: two at least. `links1` counts the links to the first, and so on.",
        ),
        Argument::of(AT_LEAST)
            .described("How many of the competitors a domain must link to.")
            .with_default("1"),
        KIND,
        OWN_LINKS,
        MATCHING,
        SORTED.with_default("-sr"),
        ROWS,
        SKIPPED,
    ],
    omits_named_domains: true,
    rows: RowsOf::Endpoint,
};

const REDIRECTS: AgentTool = AgentTool {
    name: "redirects",
    title: "Redirects of a URL",
    purpose: "Use it to see where a URL leads, hop by hop, as the crawl last saw it. Nothing is fetched now.",
    counted: None,
    sources: &[source(&endpoints::redirectchain::ENDPOINT, &["hop", "url", "code", "tag", "end"])],
    arguments: &[SITE, ROWS, SKIPPED],
    omits_named_domains: false,
    rows: RowsOf::Endpoint,
};

const CRAWL_STATUS: AgentTool = AgentTool {
    name: "crawl_status",
    title: "State of the crawl",
    purpose: "Use it to see whether the crawl runs, how fast it is, and how much waits.",
    counted: Some(
        "Has the state of the crawl of this process, its rate, and its counts by status and by failure, which begin with the \
         process. Without a crawl in this process, `state` is `none`.",
    ),
    sources: &[source(&endpoints::crawl::status::ENDPOINT, &[])],
    arguments: &[],
    omits_named_domains: false,
    rows: RowsOf::Nothing,
};

const INDEX_SIZE: AgentTool = AgentTool {
    name: "index_size",
    title: "Size of the index",
    purpose: "Use it to judge what the index can know: how many pages, links and domains it has.",
    counted: None,
    sources: &[source(&endpoints::stats::ENDPOINT, &[])],
    arguments: &[],
    omits_named_domains: false,
    rows: RowsOf::Nothing,
};
