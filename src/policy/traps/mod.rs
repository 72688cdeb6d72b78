//! Crawler traps: URLs that a site generates without end, recognised by their form alone.
//!
//! The input is a URL that a page links to; the output is a reason not to fetch it, or nothing. The URL stays
//! in the index as a link target either way. The rules are pure: today's date is a parameter. They spare what
//! people write. Each rule asks for more of something than real sites have, and each limit is a key of
//! `[traps]`.
//!
//! | trap | what it looks like |
//! |---|---|
//! | relative links that grow | `/a/b/a/b/a/b/`, `/x/x/x/x/` |
//! | session ids | `;jsessionid=…`, `/(S(…))/`, `?PHPSESSID=…` |
//! | calendars | `/calendar/2099/1`, `?month=1920-05`; not `/1945/07/an-article` |
//! | facets | `?color=1&size=2&brand=3&sort=4` |
//! | machines that name hosts, paths or queries | too many labels, segments, parameters |
//!
//! Traps that take more than one URL to recognise are found elsewhere: the same query in another order (by
//! its [`permutation_fingerprint`](crate::urls::permutation_fingerprint)), one document under many URLs, a
//! domain with endless hosts.

mod calendar;

use std::fmt;

use crate::config::TrapsConfig;
use crate::model::Day;
use crate::urls::{CanonicalUrl, is_ip_literal};

/// Why a URL counts as part of an endless or repeating space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trap {
    /// A segment, or a run of segments, occurs in the path again and again.
    RepeatedSegments {
        segments: String,
        limit: usize,
    },
    DeepPath {
        segments: usize,
        limit: usize,
    },
    DeepHost {
        labels: usize,
        limit: usize,
    },
    /// The part of the URL that names the session.
    SessionId(String),
    Calendar(String),
    Facets {
        facets: usize,
        limit: usize,
    },
    ManyParameters {
        parameters: usize,
        limit: usize,
    },
    LongQuery {
        bytes: usize,
        limit: usize,
    },
    /// A known URL with its parameters in another order. [`TrapRules::judge`] never returns it.
    QueryPermutation,
}

impl Trap {
    /// One word for counters and logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::RepeatedSegments { .. } => "repeated_segments",
            Self::DeepPath { .. } => "deep_path",
            Self::DeepHost { .. } => "deep_host",
            Self::SessionId(_) => "session_id",
            Self::Calendar(_) => "calendar",
            Self::Facets { .. } => "facets",
            Self::ManyParameters { .. } => "many_parameters",
            Self::LongQuery { .. } => "long_query",
            Self::QueryPermutation => "query_permutation",
        }
    }
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut exceeds = |what: fmt::Arguments<'_>, limit: &usize, key| {
            write!(f, "{what}, more than the {limit} of traps.{key}")
        };
        match self {
            Self::DeepPath { segments, limit } => {
                exceeds(format_args!("its path has {segments} segments"), limit, "max_path_segments")
            }
            Self::DeepHost { labels, limit } => {
                exceeds(format_args!("its host has {labels} labels"), limit, "max_host_labels")
            }
            Self::Facets { facets, limit } => {
                exceeds(format_args!("it narrows or sorts a list in {facets} ways"), limit, "max_facets")
            }
            Self::ManyParameters { parameters, limit } => {
                exceeds(format_args!("its query has {parameters} parameters"), limit, "max_query_params")
            }
            Self::LongQuery { bytes, limit } => {
                exceeds(format_args!("its query is {bytes} bytes long"), limit, "max_query_bytes")
            }
            Self::RepeatedSegments { segments, limit } => write!(
                f,
                "its path repeats \"{segments}\" beyond the {limit} times of traps.max_segment_repeats"
            ),
            Self::SessionId(name) => {
                write!(f, "it carries a visitor's session in \"{name}\" (traps.session_params)")
            }
            Self::Calendar(date) => write!(
                f,
                "it is a calendar's page for {date}, outside of traps.calendar_past_years and \
                 traps.calendar_future_years"
            ),
            Self::QueryPermutation => {
                f.write_str("it is a known URL with the parameters of its query in another order")
            }
        }
    }
}

/// The rules of `[traps]`, ready to be applied.
#[derive(Clone, Debug)]
pub struct TrapRules {
    config: TrapsConfig,
}

impl TrapRules {
    pub fn new(config: &TrapsConfig) -> Self {
        Self { config: config.clone() }
    }

    /// Returns why this URL should not be fetched, if there is a reason. Takes time linear in the length of
    /// the URL, times the limits.
    pub fn judge(&self, url: &CanonicalUrl, today: Day) -> Option<Trap> {
        let (path, query) = split(url);
        self.deep_host(url.host())
            .or_else(|| self.long_query(query?))
            .or_else(|| self.path(path, today))
            .or_else(|| self.parameters(query?, today))
    }

    fn deep_host(&self, host: &str) -> Option<Trap> {
        let labels = host.split('.').count();
        let limit = self.config.max_host_labels;
        (labels > limit && !is_ip_literal(host)).then_some(Trap::DeepHost { labels, limit })
    }

    fn path(&self, path: &str, today: Day) -> Option<Trap> {
        let segments = path.bytes().filter(|&b| b == b'/').count();
        let limit = self.config.max_path_segments;
        if segments > limit {
            return Some(Trap::DeepPath { segments, limit });
        }
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        repeated(&segments, self.config.max_segment_repeats)
            .or_else(|| segments.iter().find_map(|segment| self.session_in_segment(segment)))
            .or_else(|| calendar::in_path(&segments, self.years(today)).map(Trap::Calendar))
    }

    fn long_query(&self, query: &str) -> Option<Trap> {
        let (bytes, limit) = (query.len(), self.config.max_query_bytes);
        (bytes > limit).then_some(Trap::LongQuery { bytes, limit })
    }

    fn parameters(&self, query: &str, today: Day) -> Option<Trap> {
        let parameters: Vec<(&str, &str)> =
            query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect();
        let limit = self.config.max_query_params;
        if parameters.len() > limit {
            return Some(Trap::ManyParameters { parameters: parameters.len(), limit });
        }
        if let Some((name, _)) = parameters.iter().find(|(name, value)| self.is_session(name, value)) {
            return Some(Trap::SessionId((*name).to_owned()));
        }
        let facets = parameters.iter().filter(|(name, _)| is_named(&self.config.facet_params, name)).count();
        let limit = self.config.max_facets;
        if facets > limit {
            return Some(Trap::Facets { facets, limit });
        }
        calendar::in_query(&parameters, self.years(today)).map(Trap::Calendar)
    }

    /// Finds `page;jsessionid=…`, and `(S(…))` as ASP.NET writes it.
    fn session_in_segment(&self, segment: &str) -> Option<Trap> {
        let in_matrix = segment.split(';').skip(1).find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            self.is_session(name, value).then_some(name)
        });
        let in_brackets = || {
            let id = segment.strip_prefix("(S(")?.strip_suffix("))")?;
            self.is_id(id).then_some(segment)
        };
        in_matrix.or_else(in_brackets).map(|name| Trap::SessionId(name.to_owned()))
    }

    fn is_session(&self, name: &str, value: &str) -> bool {
        self.is_id(value) && is_named(&self.config.session_params, name)
    }

    /// Whether a text begins as machine-made ids do: with enough letters and digits, at least one digit among
    /// them. Hyphens and underscores between them do not count.
    fn is_id(&self, text: &str) -> bool {
        let is_of_id = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        let counted = || text.bytes().take_while(is_of_id).filter(u8::is_ascii_alphanumeric);
        counted().count() >= self.config.session_min_length && counted().any(|b| b.is_ascii_digit())
    }

    /// The years whose calendars are fetched.
    fn years(&self, today: Day) -> std::ops::RangeInclusive<u32> {
        let year = today.as_number() / 10_000;
        year.saturating_sub(self.config.calendar_past_years)
            ..=year.saturating_add(self.config.calendar_future_years)
    }
}

/// Path and query of a URL.
fn split(url: &CanonicalUrl) -> (&str, Option<&str>) {
    match url.path_and_query().split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (url.path_and_query(), None),
    }
}

/// Whether a parameter is in the list, in any case; `name[key]` counts as `name`.
fn is_named(list: &[String], name: &str) -> bool {
    let end = name.find(['[', '%']).unwrap_or(name.len());
    let name = &name.as_bytes()[..end];
    list.iter().any(|known| match known.strip_suffix('*') {
        Some(start) => {
            name.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start.as_bytes()))
        }
        None => name.eq_ignore_ascii_case(known.as_bytes()),
    })
}

/// Finds a segment that occurs more than `limit` times in the path, or a run of two or more segments that is
/// repeated `limit` times in a row.
fn repeated(segments: &[&str], limit: usize) -> Option<Trap> {
    let trap = |segments: &[&str]| Trap::RepeatedSegments { segments: segments.join("/"), limit };
    for (at, segment) in segments.iter().enumerate() {
        let here = segments[at..].iter().filter(|other| *other == segment).count();
        if here > limit {
            return Some(trap(&[segment]));
        }
        // A run can only repeat where its first segment does.
        if here < limit || limit < 2 {
            continue;
        }
        for length in 2..=(segments.len() - at) / limit {
            let run = &segments[at..at + length];
            if (1..limit).all(|n| segments[at + n * length..].starts_with(run)) {
                return Some(trap(run));
            }
        }
    }
    None
}
