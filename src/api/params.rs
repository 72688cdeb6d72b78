//! The query string: `application/x-www-form-urlencoded`, as the WHATWG URL Standard reads it, but refused where
//! it is not UTF-8 or names one thing twice.
//!
//! Unknown parameters are ignored and named in the answer: clients made for other servers send extras. A parameter that an endpoint
//! reads may be given once; lists are written `order[]=a&order[]=b` or `order[0]=a&order[1]=b`.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::RangeInclusive;

use percent_encoding::percent_decode;

use super::negotiate::Format;
use super::parameter::{DEFAULT_LIMIT, DEFAULT_TOP, MAX_OFFSET, MAX_TOP};
use super::{ApiError, Endpoint};
use crate::config::ApiConfig;
use crate::model::Day;
use crate::query::{Activity, Internal, Window};
use crate::urls::ScopeKind;

/// Characters of a value that a message repeats.
const SHOWN_CHARS: usize = 100;

/// Unknown parameters that an answer names.
const SHOWN_PARAMETERS: usize = 10;

/// The parameters of a request, in the order given.
#[derive(Debug, Default)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Reads a query string.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] for names or values that are not UTF-8.
    pub fn parse(query: &str) -> Result<Self, ApiError> {
        query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                let name = decode(name).ok_or_else(|| {
                    ApiError::BadRequest(format!(
                        "the parameter name {} is not UTF-8; encode it so",
                        shorten(name)
                    ))
                })?;
                let value = decode(value).ok_or_else(|| {
                    ApiError::BadRequest(format!(
                        "{} is not UTF-8: {}; encode it so, and a % itself as %25",
                        shorten(&name),
                        shorten(value)
                    ))
                })?;
                Ok((name, value))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The value of a parameter that may be given once.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] when it is given more than once.
    pub fn single(&self, name: &str) -> Result<Option<&str>, ApiError> {
        let mut values = self.0.iter().filter(|(given, _)| given == name).map(|(_, value)| value.as_str());
        let first = values.next();
        if values.next().is_some() {
            return Err(ApiError::BadRequest(format!("{name} is given more than once; give it once")));
        }
        Ok(first)
    }

    /// The values of a list parameter: `name[0]`, `name[1]`, … by their numbers; a `name[]`, or `name` alone,
    /// takes the number after the highest so far.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] for brackets that hold no number, and for a number given twice.
    pub fn list(&self, name: &str) -> Result<Vec<&str>, ApiError> {
        let mut numbered: Vec<(u64, &str)> = Vec::new();
        for (given, value) in &self.0 {
            let Some(rest) = given.strip_prefix(name) else { continue };
            let next = numbered.iter().map(|(number, _)| number + 1).max().unwrap_or(0);
            let number = match rest.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                Some("") => next,
                Some(digits) => list_number(given, digits)?,
                None if rest.is_empty() => next,
                None => continue,
            };
            if numbered.iter().any(|(taken, _)| *taken == number) {
                return Err(ApiError::BadRequest(format!("{given} is given more than once; give it once")));
            }
            numbered.push((number, value));
        }
        numbered.sort_unstable();
        Ok(numbered.into_iter().map(|(_, value)| value).collect())
    }

    /// `url`.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] when it is missing.
    pub fn url(&self) -> Result<&str, ApiError> {
        self.single("url")?.ok_or_else(|| {
            ApiError::missing("url", "give a URL, host or domain, for example url=example.com")
        })
    }

    /// `scope`.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] for an unknown word.
    pub fn scope_kind(&self) -> Result<Option<ScopeKind>, ApiError> {
        Ok(self.single("scope")?.map(str::parse).transpose()?)
    }

    /// `internal`.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] for an unknown word.
    pub fn internal(&self) -> Result<Internal, ApiError> {
        let words = [("include", Internal::Include), ("exclude", Internal::Exclude)];
        Ok(self.one_of("internal", &words)?.unwrap_or_default())
    }

    /// `active`, where it is given.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] for an unknown word.
    pub fn activity(&self) -> Result<Option<Activity>, ApiError> {
        let words = [("true", Activity::Active), ("false", Activity::Inactive), ("all", Activity::Both)];
        self.one_of("active", &words)
    }

    /// What the word given for a parameter stands for.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] for a word that is none of these.
    pub fn one_of<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Result<Option<T>, ApiError> {
        let Some(given) = self.single(name)? else { return Ok(None) };
        let found = words.iter().find(|(word, _)| *word == given).map(|(_, meaning)| *meaning);
        found.map(Some).ok_or_else(|| {
            let wanted: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            ApiError::parameter(name, given, &wanted.join(" or "))
        })
    }

    /// The days from `from` to `to`, which is today when it is not given.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] when `from` is missing, a day is malformed, or `from` lies after `to`.
    pub fn days(&self, today: impl FnOnce() -> Day) -> Result<RangeInclusive<Day>, ApiError> {
        let wanted = "a calendar day from 19700101 on, written as yyyyMMdd";
        let day = |name: &str| -> Result<Option<Day>, ApiError> {
            let Some(text) = self.single(name)? else { return Ok(None) };
            Day::parse(text).map(Some).map_err(|_| ApiError::parameter(name, text, wanted))
        };
        let from = day("from")?.ok_or_else(|| {
            ApiError::missing("from", "give the first day as yyyyMMdd, for example from=20240101")
        })?;
        let to = day("to")?.unwrap_or_else(today);
        if from > to {
            return Err(ApiError::BadRequest(format!(
                "from is {from}, which is after {to}, the last day asked for; give an earlier from or a later to"
            )));
        }
        Ok(from..=to)
    }

    /// `top`: rows of a distribution before the rest.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] for anything but a whole number from 1 to 100.
    pub fn top(&self) -> Result<usize, ApiError> {
        let Some(text) = self.single("top")? else { return Ok(DEFAULT_TOP) };
        whole_number(text)
            .filter(|top| (1..=MAX_TOP).contains(top))
            .ok_or_else(|| ApiError::parameter("top", text, &format!("a whole number from 1 to {MAX_TOP}")))
    }

    /// `offset` and `limit`, which is 50 when it is not given.
    ///
    /// # Errors
    /// As [`Self::given_limit`], and for an `offset` that is no whole number.
    pub fn window(&self, config: &ApiConfig) -> Result<Window, ApiError> {
        let limit = self.limit(config)?;
        Ok(Window { offset: self.offset()?, limit })
    }

    /// `offset` and `limit`, without which all rows are meant.
    ///
    /// # Errors
    /// As [`Self::window`].
    pub fn whole_window(&self, config: &ApiConfig) -> Result<Window, ApiError> {
        let limit = self.given_limit(config)?.unwrap_or(usize::MAX);
        Ok(Window { offset: self.offset()?, limit })
    }

    fn offset(&self) -> Result<usize, ApiError> {
        let Some(text) = self.single("offset")? else { return Ok(0) };
        whole_number(text).filter(|&offset| offset <= MAX_OFFSET).ok_or_else(|| {
            ApiError::parameter("offset", text, &format!("a whole number from 0 to {MAX_OFFSET}"))
        })
    }

    /// `limit`, which is 50 when it is not given.
    ///
    /// # Errors
    /// As [`Self::given_limit`].
    pub fn limit(&self, config: &ApiConfig) -> Result<usize, ApiError> {
        Ok(self.given_limit(config)?.unwrap_or(DEFAULT_LIMIT.min(config.max_limit)))
    }

    /// `limit`, if it is given.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] for anything but a whole number within bounds.
    pub fn given_limit(&self, config: &ApiConfig) -> Result<Option<usize>, ApiError> {
        let most = config.max_limit;
        let Some(text) = self.single("limit")? else { return Ok(None) };
        let limit = whole_number(text).filter(|&limit| limit <= most);
        let wrong = || ApiError::parameter("limit", text, &format!("a whole number from 0 to {most}"));
        limit.map(Some).ok_or_else(wrong)
    }

    /// `format`.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] for an unknown word.
    pub fn format(&self) -> Result<Option<Format>, ApiError> {
        let words = [
            ("json", Format::Json),
            ("csv", Format::Csv),
            ("jsonl", Format::JsonLines),
            ("excel", Format::Excel),
        ];
        self.one_of("format", &words)
    }

    /// `fields`: some of these columns, in the order asked for; `None` when it is not given.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] for a name that no column has, and for one given twice.
    pub fn fields<C>(
        &self,
        columns: &'static [C],
        name: impl Fn(&C) -> &'static str,
    ) -> Result<Option<Vec<&'static C>>, ApiError> {
        let Some(text) = self.single("fields")? else { return Ok(None) };
        let mut chosen: Vec<&'static C> = Vec::new();
        for given in text.split(',') {
            let Some(column) = columns.iter().find(|column| name(column) == given) else {
                let known: Vec<&str> = columns.iter().map(&name).collect();
                return Err(ApiError::BadRequest(format!(
                    "fields names \"{}\", which is no column here; use some of {}, with commas between",
                    shorten(given),
                    known.join(",")
                )));
            };
            if chosen.iter().any(|earlier| name(earlier) == given) {
                return Err(ApiError::BadRequest(format!(
                    "fields names {given} more than once; name it once"
                )));
            }
            chosen.push(column);
        }
        Ok(Some(chosen))
    }

    /// A warning for each parameter that the endpoint does not know; of those beyond some, one that counts them.
    pub fn ignored(&self, endpoint: &Endpoint) -> Vec<String> {
        let known = endpoint.parameters();
        let unknown = self.0.iter().filter(|(given, _)| {
            // In JSON everywhere: that it cannot be had otherwise is an error of its own.
            given != "format" && !known.iter().any(|parameter| parameter.is_named(given))
        });
        let mut met = HashSet::new();
        let unknown: Vec<&str> =
            unknown.map(|(given, _)| given.as_str()).filter(|given| met.insert(*given)).collect();
        let shown = unknown.iter().take(SHOWN_PARAMETERS);
        let shown =
            shown.map(|given| format!("parameter \"{}\" was ignored; it is not known here", shorten(given)));
        let further = unknown.len().checked_sub(SHOWN_PARAMETERS).filter(|further| *further > 0);
        let further = further
            .map(|further| format!("{further} further parameters were ignored; they are not known here"));
        shown.chain(further).collect()
    }
}

fn list_number(given: &str, digits: &str) -> Result<u64, ApiError> {
    whole_number(digits).and_then(|number| u32::try_from(number).ok()).map(u64::from).ok_or_else(|| {
        ApiError::BadRequest(format!(
            "the parameter {} has no number in its brackets; write [] or [0], [1] and so on",
            shorten(given)
        ))
    })
}

/// Digits and nothing else.
fn whole_number(text: &str) -> Option<usize> {
    if text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

fn decode(text: &str) -> Option<String> {
    let blanks: Cow<'_, str> = if text.contains('+') { text.replace('+', " ").into() } else { text.into() };
    percent_decode(blanks.as_bytes()).decode_utf8().ok().map(Cow::into_owned)
}

/// A text short enough for a message.
pub(super) fn shorten(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(query: &str) -> Params {
        Params::parse(query).unwrap()
    }

    #[test]
    fn names_and_values_are_decoded() {
        let params = params("url=a%2Fb&where=x+eq+%27%C3%A4+%2B%27&&flag&order%5B0%5D=-sr&100%=5%zz");
        assert_eq!(params.single("url").unwrap(), Some("a/b"));
        assert_eq!(params.single("where").unwrap(), Some("x eq 'ä +'"));
        assert_eq!(params.single("flag").unwrap(), Some(""));
        assert_eq!(params.single("100%").unwrap(), Some("5%zz"));
        assert_eq!(params.list("order").unwrap(), ["-sr"]);
        assert_eq!(params.single("none").unwrap(), None);
    }

    #[test]
    fn lists_follow_their_numbers() {
        for (query, values) in [
            ("order[]=a&order[]=b", vec!["a", "b"]),
            ("order[10]=c&order[2]=b&order[0]=a", vec!["a", "b", "c"]),
            ("order[5]=a&order[]=b&order[1]=c", vec!["c", "a", "b"]),
            ("order=a&order=b", vec!["a", "b"]),
            ("orders[]=a&border[]=b&order_by=c", vec![]),
        ] {
            assert_eq!(params(query).list("order").unwrap(), values, "{query}");
        }
        for query in ["order[x]=a", "order[-1]=a", "order[0]=a&order[0]=b", "order[99999999999]=a"] {
            assert!(params(query).list("order").is_err(), "{query}");
        }
    }

    #[test]
    fn windows_are_whole_numbers_within_bounds() {
        let config = ApiConfig::default();
        let window = |query: &str| params(query).window(&config);
        assert_eq!(window("").unwrap(), Window { offset: 0, limit: 50 });
        assert_eq!(window("limit=0&offset=123456789").unwrap(), Window { offset: 123_456_789, limit: 0 });
        assert_eq!(window("limit=10000").unwrap().limit, 10_000);
        for query in ["limit=10001", "limit=-1", "limit=", "limit=1.0", "limit=%2B1", "offset=-1", "offset=x"]
        {
            let message = window(query).unwrap_err().to_string();
            assert!(message.starts_with(&query[..5]), "{query}: {message}");
        }
    }
}
