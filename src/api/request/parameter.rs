//! The declarations of parameters. They are used to detect unknown names, in error messages, and in the OpenAPI
//! document.

/// A parameter of the query string.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    pub name: &'static str,
    pub kind: ParameterKind,
    pub required: bool,
    /// The purpose of the parameter, in one sentence.
    pub description: &'static str,
    /// An example of a value, with commas between the elements of a list. The columns of a listing, if the endpoint has
    /// one, give better examples for `order[]`, `where` and `fields`.
    pub example: &'static str,
}

/// The kind of values that a parameter accepts.
#[derive(Clone, Copy, Debug)]
pub enum ParameterKind {
    /// A URL, host or domain.
    Url,
    /// A list of URLs, hosts or domains.
    Urls,
    /// A list of at least `min` and at most `api.max_targets` URLs, hosts or domains.
    Targets { min: usize },
    /// One of these words.
    Words(&'static [&'static str]),
    /// A whole number from `min` to `max`, with its default.
    Number { min: usize, max: usize, default: usize },
    /// A number of `targets[]`, from 1 to as many as are given.
    TargetCount,
    /// A number of rows, up to `api.max_limit`.
    Limit,
    /// A number of nodes from 1 to `api.max_nodes`.
    Nodes,
    /// A day as yyyyMMdd.
    Day,
    /// A list of the endpoint's fields to order by.
    Order,
    /// A condition on the endpoint's fields.
    Where,
    /// Names of columns, separated by commas.
    Fields,
    /// At most `api.max_facets` names of columns, separated by commas.
    Facets,
    /// Names of endpoints, separated by commas.
    Endpoints,
    /// The beginning of a name, of at most `max` characters.
    NamePrefix { max: usize },
    /// Any text of at most `max` characters.
    Text { max: usize },
    /// The token from the previous chunk.
    Token,
}

/// The default number of rows.
pub(crate) const DEFAULT_LIMIT: usize = 50;
/// The default number of rows of a distribution before the rest.
pub(crate) const DEFAULT_TOP: usize = 9;
/// The maximum number of rows of a distribution before the rest. For more rows there are lists.
pub(crate) const MAX_TOP: usize = 100;

/// The default number of nodes of a graph: as many as fit on a screen.
pub(crate) const DEFAULT_NODES: usize = 150;

/// `linkintersect` needs at least two targets.
pub(crate) const MIN_TARGETS: usize = 2;

/// The maximum number of skipped rows: no list is longer.
pub(crate) const MAX_OFFSET: usize = u32::MAX as usize;

const fn parameter(
    name: &'static str,
    kind: ParameterKind,
    description: &'static str,
    example: &'static str,
) -> Parameter {
    Parameter { name, kind, required: false, description, example }
}

pub(crate) const URL: Parameter = Parameter {
    required: true,
    ..parameter(
        "url",
        ParameterKind::Url,
        "The URL, host or domain. With a path, it selects that URL. Without one, a registrable domain selects the domain \
         with all its hosts, and any other host selects that host.",
        "museum.example",
    )
};
pub(crate) const URLS: Parameter = Parameter {
    required: true,
    ..parameter(
        "urls[]",
        ParameterKind::Urls,
        "URLs, hosts or domains, each as `url` elsewhere.",
        "museum.example,observer.example",
    )
};
/// The kinds of scopes.
pub(crate) const SCOPE_KINDS: &[&str] = &["url", "host", "domain", "prefix"];
pub(crate) const SCOPE: Parameter = parameter(
    "scope",
    ParameterKind::Words(SCOPE_KINDS),
    "What `url` is to select, whatever it looks like. A prefix selects the URLs of its host below its path.",
    "domain",
);
/// As [`SCOPE`], for endpoints that accept URLs only.
pub(crate) const SCOPE_OF_URL: Parameter =
    parameter("scope", ParameterKind::Words(&["url"]), "`url` selects one URL always.", "url");
pub(crate) const INTERNAL: Parameter = parameter(
    "internal",
    ParameterKind::Words(&["include", "exclude"]),
    "Whether links within one registrable domain count.",
    "exclude",
);
pub(crate) const ACTIVE: Parameter = parameter(
    "active",
    ParameterKind::Words(&["true", "false", "all"]),
    "Active links, lost ones, or both.",
    "all",
);
pub(crate) const LIMIT: Parameter = parameter("limit", ParameterKind::Limit, "Rows to show.", "2");
pub(crate) const OFFSET: Parameter = parameter(
    "offset",
    ParameterKind::Number { min: 0, max: MAX_OFFSET, default: 0 },
    "Rows to pass over.",
    "50",
);
pub(crate) const DETAILS: Parameter = parameter(
    "details",
    ParameterKind::Words(&["true", "false"]),
    "Whether rows also have the columns that take a lookup for each row.",
    "true",
);
pub(crate) const ORDER: Parameter = parameter(
    "order[]",
    ParameterKind::Order,
    "Columns to sort by, most significant first. A leading `-` sorts in descending order.",
    "-frequency",
);
pub(crate) const WHERE: Parameter = parameter(
    "where",
    ParameterKind::Where,
    "A condition that rows must meet: `field op value`, with AND, OR, NOT and parentheses. x-columns names the fields \
     and the operators of each.",
    "links gt 1",
);
pub(crate) const TOP: Parameter = parameter(
    "top",
    ParameterKind::Number { min: 1, max: MAX_TOP, default: DEFAULT_TOP },
    "Rows before the one that sums up the rest.",
    "2",
);
pub(crate) const DIRECTION: Parameter = parameter(
    "direction",
    ParameterKind::Words(&["out", "in"]),
    "Targets of the links on the scope's pages, or of the backlinks into it.",
    "in",
);
pub(crate) const FIELDS: Parameter =
    parameter("fields", ParameterKind::Fields, "The columns to show, in this order.", "url");
pub(crate) const FACETS: Parameter = parameter(
    "facets",
    ParameterKind::Facets,
    "The columns whose most frequent values are counted among the rows that match `where`, in JSON.",
    "",
);
pub(crate) const FORMAT: Parameter = parameter(
    "format",
    ParameterKind::Words(&["json", "csv", "jsonl", "excel", "parquet", "arrow"]),
    "The format of the answer, whatever Accept says. excel is CSV that spreadsheets open without changing it; parquet is \
     a file, and arrow a stream, of typed columns.",
    "csv",
);
/// As [`FORMAT`], for lists that are available as a feed.
pub(crate) const FORMAT_OR_FEED: Parameter = parameter(
    "format",
    ParameterKind::Words(&["json", "csv", "jsonl", "excel", "parquet", "arrow", "atom"]),
    "The format of the answer, whatever Accept says. excel is CSV that spreadsheets open without changing it; parquet is \
     a file, and arrow a stream, of typed columns; atom is a feed.",
    "atom",
);
pub(crate) const NEXT: Parameter = parameter(
    "next",
    ParameterKind::Token,
    "`next` of the previous response: the export continues there.",
    "",
);
pub(crate) const FROM: Parameter =
    Parameter { required: true, ..parameter("from", ParameterKind::Day, "The first day.", "20261101") };
pub(crate) const TO: Parameter =
    parameter("to", ParameterKind::Day, "The last day; today without it.", "20261231");
/// As [`FROM`], for an endpoint that begins with the first change otherwise.
pub(crate) const FROM_FIRST: Parameter = parameter(
    "from",
    ParameterKind::Day,
    "The first day; the day of the first change without it.",
    "20261101",
);
pub(crate) const STEP: Parameter = parameter(
    "step",
    ParameterKind::Words(&["day", "week", "month"]),
    "The days of each row; day without it.",
    "month",
);
pub(crate) const SINCE: Parameter = parameter(
    "since",
    ParameterKind::Day,
    "The day to compare with, at its end. Default: 30 days ago.",
    "20261101",
);
pub(crate) const GROUP: Parameter = parameter(
    "group",
    ParameterKind::Words(&["domain"]),
    "Shows the strongest link of each referring domain alone.",
    "domain",
);
pub(crate) const TARGETS: Parameter = Parameter {
    required: true,
    ..parameter(
        "targets[]",
        ParameterKind::Targets { min: MIN_TARGETS },
        "URLs, hosts or domains, all of which must be linked to, unless `atLeast` says how many.",
        "museum.example,observer.example",
    )
};
pub(crate) const AT_LEAST: Parameter = parameter(
    "atLeast",
    ParameterKind::TargetCount,
    "How many of the targets must be linked to; all without it.",
    "2",
);
pub(crate) const EXCLUDE: Parameter = parameter(
    "exclude[]",
    ParameterKind::Targets { min: 1 },
    "URLs, hosts or domains, none of which may be linked to.",
    "blogs.example",
);
pub(crate) const NODES: Parameter = parameter(
    "nodes",
    ParameterKind::Nodes,
    "Domains to show, the centre included; the strongest ones.",
    "3",
);
pub(crate) const GRAPH_FORMAT: Parameter = parameter(
    "format",
    ParameterKind::Words(&["json", "gexf", "graphml"]),
    "The format of the graph: JSON, GEXF (Gephi) or GraphML.",
    "gexf",
);
pub(crate) const SHOWGROUP: Parameter = parameter(
    "showgroup",
    ParameterKind::Words(&["true", "false"]),
    "Whether ranks are shown in pairs.",
    "true",
);
/// The maximum number of characters of a beginning: no host name is longer.
pub(crate) const MAX_NAME_PREFIX: usize = 253;
pub(crate) const NAME_PREFIX: Parameter = Parameter {
    required: true,
    ..parameter(
        "q",
        ParameterKind::NamePrefix { max: MAX_NAME_PREFIX },
        "The beginning of a host or domain, with or without www.",
        "muse",
    )
};
pub(crate) const RANDOM: Parameter = parameter(
    "random",
    ParameterKind::Words(&["true", "false"]),
    "Whether the rows come in random order.",
    "false",
);
/// The host that `/host` is about.
pub(crate) const HOST: Parameter = Parameter {
    required: true,
    ..parameter("host", ParameterKind::Url, "The host asked about, or a URL on it.", "www.museum.example")
};
/// The URL that `/explain` is about.
pub(crate) const EXPLAINED_URL: Parameter = Parameter {
    required: true,
    ..parameter(
        "url",
        ParameterKind::Url,
        "The URL asked about; http without a scheme.",
        "http://www.museum.example/",
    )
};
/// The part of a name that hosts of the crawl must have.
pub(crate) const NAME_PART: Parameter = parameter(
    "q",
    ParameterKind::Text { max: MAX_NAME_PREFIX },
    "A part of the names of the hosts to show; all hosts without it.",
    "museum",
);
/// The maximum number of characters of a kind of failure: the longest is `address-refused`.
pub(crate) const MAX_FAILURE_KIND: usize = 40;
pub(crate) const FAILURE_KIND: Parameter = parameter(
    "kind",
    ParameterKind::Text { max: MAX_FAILURE_KIND },
    "The kind of the failures to show; all kinds without it.",
    "timeout",
);
pub(crate) const RESOURCES: Parameter = Parameter {
    required: true,
    ..parameter("resources", ParameterKind::Endpoints, "The endpoints asked about.", "backlinks,linktexts")
};

impl Parameter {
    /// Whether a POST request has this value in its body instead.
    pub fn is_in_body(&self) -> bool {
        matches!(self.kind, ParameterKind::Urls | ParameterKind::Endpoints) || self.name == "url"
    }

    /// Whether a name in a query string, such as `order[0]`, belongs to this parameter.
    pub fn matches_name(&self, given: &str) -> bool {
        match self.name.strip_suffix("[]") {
            Some(list) => given.split('[').next() == Some(list),
            // The names of endpoints may be given as a list, too.
            None => {
                given == self.name
                    || matches!(self.kind, ParameterKind::Endpoints) && given.starts_with("resources[")
            }
        }
    }
}
