//! The query string: `application/x-www-form-urlencoded`, as the WHATWG URL Standard reads it, but refused where
//! it is not UTF-8 or names one thing twice.
//!
//! Unknown parameters are ignored: clients made for other servers send extras. A parameter that an endpoint
//! reads may be given once; lists are written `order[]=a&order[]=b` or `order[0]=a&order[1]=b`.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use percent_encoding::percent_decode;

use super::ApiError;
use crate::config::ApiConfig;
use crate::model::Day;
use crate::query::{Activity, Internal, Window};
use crate::urls::ScopeKind;

/// Rows of an answer when the query does not say.
const DEFAULT_LIMIT: usize = 50;
/// Rows of a distribution before the rest, when the query does not say.
const DEFAULT_TOP: usize = 9;
/// Rows of a distribution before the rest at most: beyond that, it is a list.
const MAX_TOP: usize = 100;
/// Characters of a value that a message repeats.
const SHOWN_CHARS: usize = 100;

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
    pub fn days(&self, today: Day) -> Result<RangeInclusive<Day>, ApiError> {
        let wanted = "a calendar day from 19700101 on, written as yyyyMMdd";
        let day = |name: &str| -> Result<Option<Day>, ApiError> {
            let Some(text) = self.single(name)? else { return Ok(None) };
            Day::parse(text).map(Some).map_err(|_| ApiError::parameter(name, text, wanted))
        };
        let from = day("from")?.ok_or_else(|| {
            ApiError::missing("from", "give the first day as yyyyMMdd, for example from=20240101")
        })?;
        let to = day("to")?.unwrap_or(today);
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

    /// `offset` and `limit`.
    ///
    /// # Errors
    /// As [`Self::limit`].
    pub fn window(&self, config: &ApiConfig) -> Result<Window, ApiError> {
        let offset = match self.single("offset")? {
            None => 0,
            Some(text) => whole_number(text)
                .ok_or_else(|| ApiError::parameter("offset", text, "a whole number from 0 on"))?,
        };
        Ok(Window { offset, limit: self.limit(config)? })
    }

    /// `limit`.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] for anything but a whole number within bounds.
    pub fn limit(&self, config: &ApiConfig) -> Result<usize, ApiError> {
        let most = config.max_limit;
        match self.single("limit")? {
            None => Ok(DEFAULT_LIMIT.min(most)),
            Some(text) => whole_number(text).filter(|&limit| limit <= most).ok_or_else(|| {
                ApiError::parameter("limit", text, &format!("a whole number from 0 to {most}"))
            }),
        }
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
