//! The query string: `application/x-www-form-urlencoded`, as the WHATWG URL Standard reads it, but refused where
//! it is not UTF-8 or names one thing twice.
//!
//! Unknown parameters are ignored: clients made for other servers send extras. A parameter that an endpoint
//! reads may be given once; lists are written `order[]=a&order[]=b` or `order[0]=a&order[1]=b`.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use super::ApiError;
use crate::config::ApiConfig;
use crate::query::{Internal, Selection, Window};
use crate::urls::{Scope, ScopeKind, Suffixes, UrlRules};

/// Rows of an answer when the query does not say.
const DEFAULT_LIMIT: usize = 50;
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

    /// What `url`, `scope` and `internal` select.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] for a missing or unusable `url`, and for unknown words.
    pub fn selection(&self, rules: &UrlRules, suffixes: &Suffixes) -> Result<Selection, ApiError> {
        let kind = self.single("scope")?.map(str::parse::<ScopeKind>).transpose()?;
        let url = self.single("url")?.ok_or_else(|| {
            ApiError::BadRequest(
                "url is missing; give a URL, host or domain, for example url=example.com".to_owned(),
            )
        })?;
        let internal = match self.single("internal")? {
            None | Some("include") => Internal::Include,
            Some("exclude") => Internal::Exclude,
            Some(other) => return Err(ApiError::parameter("internal", other, "include or exclude")),
        };
        Ok(Selection { scope: Scope::parse(url, kind, rules, suffixes)?, internal })
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
