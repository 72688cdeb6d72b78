//! Which parameters an endpoint takes: declared once, for the check of names, for the messages, and for the document
//! that describes the API.

/// A parameter of the query string.
#[derive(Debug)]
pub struct Parameter {
    pub name: &'static str,
    pub takes: Takes,
    pub required: bool,
    /// What it does, in one sentence.
    pub about: &'static str,
}

/// The values that a parameter takes.
#[derive(Clone, Copy, Debug)]
pub enum Takes {
    /// A URL, host or domain.
    Url,
    /// Several of them, as a list.
    Urls,
    /// So many of them at least, and at most `api.max_targets`, as a list.
    Targets { least: usize },
    /// One of these words.
    Words(&'static [&'static str]),
    /// A whole number from the first to the second, and what counts without it.
    Number { least: usize, most: usize, default: usize },
    /// A number of rows, up to `api.max_limit`.
    Limit,
    /// A day as yyyyMMdd.
    Day,
    /// A list of the endpoint's fields to order by.
    Order,
    /// A condition on the endpoint's fields.
    Where,
    /// Names of columns with commas between.
    Fields,
    /// Names of endpoints with commas between.
    Endpoints,
    /// The token of the answer before.
    Token,
}

/// Rows of an answer when the query does not say.
pub const DEFAULT_LIMIT: usize = 50;
/// Rows of a distribution before the rest, when the query does not say.
pub const DEFAULT_TOP: usize = 9;
/// Rows of a distribution before the rest at most: beyond that, it is a list.
pub const MAX_TOP: usize = 100;

/// What is to be linked to by all is more than one thing.
pub const FEWEST_TARGETS: usize = 2;

/// Rows passed over at most: no list has more.
pub const MAX_OFFSET: usize = u32::MAX as usize;

const fn parameter(name: &'static str, takes: Takes, about: &'static str) -> Parameter {
    Parameter { name, takes, required: false, about }
}

pub const URL: Parameter = Parameter {
    required: true,
    ..parameter(
        "url",
        Takes::Url,
        "What is asked about. With a path: that URL; without, a registrable domain is the domain with all its hosts, \
         any other host that host.",
    )
};
pub const URLS: Parameter = Parameter {
    required: true,
    ..parameter("urls[]", Takes::Urls, "URLs, hosts or domains, each as `url` elsewhere.")
};
pub const SCOPE: Parameter = parameter(
    "scope",
    Takes::Words(&["url", "host", "domain"]),
    "What `url` is to select, whatever it looks like.",
);
/// As [`SCOPE`], where only URLs can be selected.
pub const SCOPE_OF_URL: Parameter =
    parameter("scope", Takes::Words(&["url"]), "`url` selects one URL always.");
pub const INTERNAL: Parameter = parameter(
    "internal",
    Takes::Words(&["include", "exclude"]),
    "Whether links within one registrable domain count.",
);
pub const ACTIVE: Parameter =
    parameter("active", Takes::Words(&["true", "false", "all"]), "Active links, lost ones, or both.");
pub const LIMIT: Parameter = parameter("limit", Takes::Limit, "Rows to show.");
pub const OFFSET: Parameter =
    parameter("offset", Takes::Number { least: 0, most: MAX_OFFSET, default: 0 }, "Rows to pass over.");
pub const ORDER: Parameter = parameter(
    "order[]",
    Takes::Order,
    "Fields to order by, the first first; with `-` before it, descending.",
);
pub const WHERE: Parameter =
    parameter("where", Takes::Where, "Conditions `field op value`, joined by AND, that rows must meet.");
pub const TOP: Parameter = parameter(
    "top",
    Takes::Number { least: 1, most: MAX_TOP, default: DEFAULT_TOP },
    "Rows before the one that sums up the rest.",
);
pub const DIRECTION: Parameter = parameter(
    "direction",
    Takes::Words(&["out", "in"]),
    "Targets of the links on the scope's pages, or of the backlinks into it.",
);
pub const FIELDS: Parameter = parameter("fields", Takes::Fields, "The columns to show, in this order.");
pub const FORMAT: Parameter = parameter(
    "format",
    Takes::Words(&["json", "csv", "jsonl", "excel"]),
    "The format of the answer, whatever Accept says. excel is CSV in a form that spreadsheets open as it is meant.",
);
pub const NEXT: Parameter = parameter("next", Takes::Token, "The token of the piece before, to read on.");
pub const FROM: Parameter = Parameter { required: true, ..parameter("from", Takes::Day, "The first day.") };
pub const TO: Parameter = parameter("to", Takes::Day, "The last day; today without it.");
pub const GROUP: Parameter =
    parameter("group", Takes::Words(&["domain"]), "Shows the strongest link of each referring domain alone.");
pub const TARGETS: Parameter = Parameter {
    required: true,
    ..parameter(
        "targets[]",
        Takes::Targets { least: FEWEST_TARGETS },
        "URLs, hosts or domains, all of which must be linked to.",
    )
};
pub const EXCLUDE: Parameter = parameter(
    "exclude[]",
    Takes::Targets { least: 1 },
    "URLs, hosts or domains, none of which may be linked to.",
);
pub const SHOWGROUP: Parameter =
    parameter("showgroup", Takes::Words(&["true", "false"]), "Whether ranks are shown in pairs.");
pub const RESOURCES: Parameter =
    Parameter { required: true, ..parameter("resources", Takes::Endpoints, "The endpoints asked about.") };

impl Parameter {
    /// Whether the body of a POST says it instead.
    pub fn is_posted(&self) -> bool {
        matches!(self.takes, Takes::Urls | Takes::Endpoints) || self.name == "url"
    }

    /// Whether a name in a query string, `order[0]` say, is this parameter's.
    pub fn is_named(&self, given: &str) -> bool {
        match self.name.strip_suffix("[]") {
            Some(list) => given.split('[').next() == Some(list),
            // The names of endpoints may be a list as well.
            None => {
                given == self.name
                    || matches!(self.takes, Takes::Endpoints) && given.starts_with("resources[")
            }
        }
    }
}
