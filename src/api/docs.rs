//! The texts about an endpoint. The OpenAPI document and the endpoint tables of the README are made of them.

/// What an endpoint answers, in words.
#[derive(Clone, Copy, Debug)]
pub struct Docs {
    pub topic: Topic,
    /// A title of at most 60 characters, without a period.
    pub summary: &'static str,
    /// What the answer contains and counts, in short sentences.
    pub description: &'static str,
}

/// The subject of an endpoint: its tag in the OpenAPI document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    Links,
    Domains,
    Pages,
    History,
    Index,
    Crawl,
    Operations,
}

impl Topic {
    /// All topics, in the order in which they are shown.
    pub const ALL: [Self; 7] =
        [Self::Links, Self::Domains, Self::Pages, Self::History, Self::Index, Self::Crawl, Self::Operations];

    pub fn name(self) -> &'static str {
        match self {
            Self::Links => "Links",
            Self::Domains => "Domains",
            Self::Pages => "Pages",
            Self::History => "History",
            Self::Index => "Index",
            Self::Crawl => "Crawl",
            Self::Operations => "Operations",
        }
    }

    pub fn description(self) -> &'static str {
        match self {
            Self::Links => "Backlinks of a scope: lists, counts and distributions.",
            Self::Domains => "Registrable domains, and the links between them.",
            Self::Pages => "Pages of a scope, and the links on them.",
            Self::History => "What came and went, by day.",
            Self::Index => "What the index contains.",
            Self::Crawl => "The state of the crawl, and its controls.",
            Self::Operations => "The server itself.",
        }
    }
}
