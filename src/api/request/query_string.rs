//! The query string: `application/x-www-form-urlencoded` as in the WHATWG URL Standard, but invalid UTF-8 and repeated
//! parameters are errors.
//!
//! Unknown parameters are ignored and named in the warnings, because clients of other servers send extra ones. A
//! parameter that an endpoint reads may be given once. Lists are written `order[]=a&order[]=b` or
//! `order[0]=a&order[1]=b`.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::RangeInclusive;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};

use super::parameter::{DEFAULT_LIMIT, DEFAULT_NODES, DEFAULT_TOP, MAX_OFFSET, MAX_TOP};
use crate::api::http::negotiation::Format;
use crate::api::{ApiError, Endpoint, ErrorDetail};
use crate::config::ApiConfig;
use crate::query::shorten;
use crate::query::{ErrorCode, LinkStates, SameDomainLinks, Window};
use crate::urls::ScopeKind;

/// The number of unknown parameters that a reply names.
const MAX_NAMED_PARAMETERS: usize = 10;

/// The parameters of a request, in the order given.
#[derive(Debug, Default)]
pub struct QueryString(Vec<(String, String)>);

impl QueryString {
    /// Parses a query string.
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
                    let message = format!(
                        "{} is not UTF-8: {}; encode it so, and a % itself as %25",
                        shorten(&name),
                        shorten(value)
                    );
                    ApiError::without_place(&name, ErrorCode::Syntax, message)
                })?;
                Ok((name, value))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Returns the value of a parameter.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] if it is given more than once.
    pub fn single(&self, name: &str) -> Result<Option<&str>, ApiError> {
        let mut values = self.0.iter().filter(|(given, _)| given == name).map(|(_, value)| value.as_str());
        let first = values.next();
        if values.next().is_some() {
            return Err(ApiError::repeated(name, name));
        }
        Ok(first)
    }

    /// Returns the values of a list parameter, ordered by their indices: `name[0]`, `name[1]`, …. A `name[]`, or `name`
    /// alone, takes the index after the highest one so far.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] for brackets without a number, and for an index given twice.
    pub fn list(&self, name: &str) -> Result<Vec<&str>, ApiError> {
        Ok(self.numbered_entries(name)?.into_iter().map(|(_, _, value)| value).collect())
    }

    /// Returns the name of an entry of a list parameter as the client wrote it, with its brackets. `at` counts from 0;
    /// without such an entry, the name is that of the list.
    pub fn name_of_entry<'a>(&'a self, name: &'a str, at: usize) -> &'a str {
        let entries = self.numbered_entries(name).unwrap_or_default();
        entries.get(at).map_or(name, |(_, given, _)| given)
    }

    /// Returns the numbers, names and values of the entries of a list parameter, in the order of their numbers.
    fn numbered_entries(&self, name: &str) -> Result<Vec<(u64, &str, &str)>, ApiError> {
        let mut numbered: Vec<(u64, &str, &str)> = Vec::new();
        for (given, value) in &self.0 {
            let Some(rest) = given.strip_prefix(name) else { continue };
            let next = numbered.iter().map(|(number, ..)| number + 1).max().unwrap_or(0);
            let number = match rest.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                Some("") => next,
                Some(digits) => parse_list_index(name, given, digits)?,
                None if rest.is_empty() => next,
                None => continue,
            };
            if numbered.iter().any(|(taken, ..)| *taken == number) {
                return Err(ApiError::repeated(name, given));
            }
            numbered.push((number, given, value));
        }
        numbered.sort_unstable();
        Ok(numbered)
    }

    /// Returns `url`.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] if it is missing.
    pub fn url(&self) -> Result<&str, ApiError> {
        self.single("url")?.ok_or_else(|| {
            ApiError::missing("url", "give a URL, host or domain, for example url=example.com")
        })
    }

    /// Parses `scope`.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] for an unknown word.
    pub fn scope_kind(&self) -> Result<Option<ScopeKind>, ApiError> {
        let Some(word) = self.single("scope")? else { return Ok(None) };
        word.parse().map(Some).map_err(|error| ApiError::from(error).about_value(word))
    }

    /// Parses `internal`.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] for an unknown word.
    pub fn internal(&self) -> Result<SameDomainLinks, ApiError> {
        let words = [("include", SameDomainLinks::Include), ("exclude", SameDomainLinks::Exclude)];
        Ok(self.one_of("internal", &words)?.unwrap_or_default())
    }

    /// Parses `active`, if given.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] for an unknown word.
    pub fn link_states(&self) -> Result<Option<LinkStates>, ApiError> {
        let words = [("true", LinkStates::Active), ("false", LinkStates::Lost), ("all", LinkStates::Both)];
        self.one_of("active", &words)
    }

    /// Returns the value that belongs to the given word.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] for an unknown word.
    pub fn one_of<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Result<Option<T>, ApiError> {
        let Some(given) = self.single(name)? else { return Ok(None) };
        let found = words.iter().find(|(word, _)| *word == given).map(|(_, meaning)| *meaning);
        found.map(Some).ok_or_else(|| {
            let expected: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            ApiError::unknown_word(name, given, &expected.join(" or "))
        })
    }

    /// Parses `top`: the number of rows of a distribution before the rest.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] for anything but a whole number from 1 to 100.
    pub fn top(&self) -> Result<usize, ApiError> {
        let Some(text) = self.single("top")? else { return Ok(DEFAULT_TOP) };
        parse_whole_number(text)
            .filter(|top| (1..=MAX_TOP).contains(top))
            .ok_or_else(|| ApiError::number("top", text, &format!("a whole number from 1 to {MAX_TOP}")))
    }

    /// Parses `details`: whether rows have all columns.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] for an unknown word.
    pub fn details(&self) -> Result<bool, ApiError> {
        Ok(self.one_of("details", &[("true", true), ("false", false)])?.unwrap_or(false))
    }

    /// Parses a whole number within a range, if given.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] for anything else.
    pub fn number_within(&self, name: &str, range: RangeInclusive<usize>) -> Result<Option<usize>, ApiError> {
        let Some(text) = self.single(name)? else { return Ok(None) };
        let number = parse_whole_number(text).filter(|number| range.contains(number));
        let expected = || format!("a whole number from {} to {}", range.start(), range.end());
        number.map(Some).ok_or_else(|| ApiError::parameter(name, text, &expected()))
    }

    /// Parses `offset` and `limit`. `limit` defaults to 50.
    ///
    /// # Errors
    /// As [`Self::explicit_limit`], and for an `offset` that is not a whole number.
    pub fn window(&self, config: &ApiConfig) -> Result<Window, ApiError> {
        let limit = self.limit(config)?;
        Ok(Window { offset: self.offset()?, limit })
    }

    /// Parses `offset` and `limit`. Without `limit`, the window contains all rows.
    ///
    /// # Errors
    /// As [`Self::window`].
    pub fn unbounded_window(&self, config: &ApiConfig) -> Result<Window, ApiError> {
        let limit = self.explicit_limit(config)?.unwrap_or(usize::MAX);
        Ok(Window { offset: self.offset()?, limit })
    }

    fn offset(&self) -> Result<usize, ApiError> {
        let Some(text) = self.single("offset")? else { return Ok(0) };
        parse_whole_number(text).filter(|&offset| offset <= MAX_OFFSET).ok_or_else(|| {
            ApiError::number("offset", text, &format!("a whole number from 0 to {MAX_OFFSET}"))
        })
    }

    /// Parses `limit`, which defaults to 50.
    ///
    /// # Errors
    /// As [`Self::explicit_limit`].
    pub fn limit(&self, config: &ApiConfig) -> Result<usize, ApiError> {
        Ok(self.explicit_limit(config)?.unwrap_or(DEFAULT_LIMIT.min(config.max_limit)))
    }

    /// Parses `limit`, if given.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] for anything but a whole number from 0 to `api.max_limit`.
    pub fn explicit_limit(&self, config: &ApiConfig) -> Result<Option<usize>, ApiError> {
        let max = config.max_limit;
        let Some(text) = self.single("limit")? else { return Ok(None) };
        let limit = parse_whole_number(text).filter(|&limit| limit <= max);
        let error = || ApiError::number("limit", text, &format!("a whole number from 0 to {max}"));
        limit.map(Some).ok_or_else(error)
    }

    /// Parses `format`, if given. `has_feed`: whether the list is available as a feed.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] for an unknown word.
    pub fn format(&self, has_feed: bool) -> Result<Option<Format>, ApiError> {
        let words = [
            ("json", Format::Json),
            ("csv", Format::Csv),
            ("jsonl", Format::JsonLines),
            ("excel", Format::Excel),
            ("parquet", Format::Parquet),
            ("arrow", Format::Arrow),
            ("atom", Format::Atom),
        ];
        let feeds = usize::from(has_feed);
        self.one_of("format", &words[..words.len() - 1 + feeds])
    }

    /// Writes the parameters as a query string again.
    pub fn to_query(&self) -> String {
        let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
        let pairs = self.0.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value)));
        pairs.collect::<Vec<_>>().join("&")
    }

    /// Parses `format` of a graph, if given.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] for an unknown word.
    pub fn graph_format(&self) -> Result<Option<Format>, ApiError> {
        let words = [("json", Format::Json), ("gexf", Format::Gexf), ("graphml", Format::GraphMl)];
        self.one_of("format", &words)
    }

    /// Parses `nodes`.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] for anything but a whole number from 1 to `api.max_nodes`.
    pub fn nodes(&self, config: &ApiConfig) -> Result<usize, ApiError> {
        let max = config.max_nodes;
        let Some(text) = self.single("nodes")? else { return Ok(DEFAULT_NODES.min(max)) };
        let nodes = parse_whole_number(text).filter(|nodes| (1..=max).contains(nodes));
        nodes.ok_or_else(|| ApiError::parameter("nodes", text, &format!("a whole number from 1 to {max}")))
    }

    /// Parses `fields` into columns, in the order given; `None` without the parameter.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] for an unknown column, and for a column given twice.
    pub fn fields<C>(
        &self,
        columns: &'static [C],
        name: impl Fn(&C) -> &'static str,
    ) -> Result<Option<Vec<&'static C>>, ApiError> {
        let known: Vec<&str> = columns.iter().map(name).collect();
        let chosen = self.columns("fields", &known)?;
        Ok(chosen.map(|chosen| chosen.into_iter().map(|at| &columns[at]).collect()))
    }

    /// Parses a parameter that names columns into their places among the known ones, in the order given; `None` without
    /// the parameter.
    ///
    /// # Errors
    /// As [`Self::fields`].
    pub fn columns(&self, parameter: &str, known: &[&str]) -> Result<Option<Vec<usize>>, ApiError> {
        let Some(text) = self.single(parameter)? else { return Ok(None) };
        let mut chosen: Vec<usize> = Vec::new();
        let mut start = 0;
        for given in text.split(',') {
            let end = start + given.chars().count();
            let error = |code, message| ApiError::BadParameter {
                message,
                detail: ErrorDetail { parameter: parameter.to_owned(), at: Some((start, end)), code },
            };
            let Some(column) = known.iter().position(|column| *column == given) else {
                let message = format!(
                    "{parameter} names \"{}\", which is no column here; use some of {}, with commas between",
                    shorten(given),
                    known.join(",")
                );
                return Err(error(ErrorCode::UnknownColumn, message));
            };
            if chosen.contains(&column) {
                let message = format!("{parameter} names {given} more than once; name it once");
                return Err(error(ErrorCode::Repeated, message));
            }
            chosen.push(column);
            // The comma takes one character.
            start = end + 1;
        }
        Ok(Some(chosen))
    }

    /// Returns a warning for each unknown parameter. Beyond `MAX_NAMED_PARAMETERS`, one warning counts the others.
    pub fn unknown_parameter_warnings(&self, endpoint: &Endpoint) -> Vec<String> {
        let known = endpoint.parameters();
        let unknown = self.0.iter().filter(|(given, _)| {
            // `format` is known everywhere: endpoints without other formats refuse them with an error.
            given != "format" && !known.iter().any(|parameter| parameter.matches_name(given))
        });
        let mut seen = HashSet::new();
        let unknown: Vec<&str> =
            unknown.map(|(given, _)| given.as_str()).filter(|given| seen.insert(*given)).collect();
        let shown = unknown.iter().take(MAX_NAMED_PARAMETERS);
        let shown =
            shown.map(|given| format!("parameter \"{}\" was ignored; it is not known here", shorten(given)));
        let further = unknown.len().checked_sub(MAX_NAMED_PARAMETERS).filter(|further| *further > 0);
        let further = further
            .map(|further| format!("{further} further parameters were ignored; they are not known here"));
        shown.chain(further).collect()
    }
}

fn parse_list_index(name: &str, given: &str, digits: &str) -> Result<u64, ApiError> {
    parse_whole_number(digits).and_then(|number| u32::try_from(number).ok()).map(u64::from).ok_or_else(|| {
        let message = format!(
            "the parameter {} has no number in its brackets; write [] or [0], [1] and so on",
            shorten(given)
        );
        ApiError::without_place(name, ErrorCode::Syntax, message)
    })
}

/// Parses a number of digits only.
fn parse_whole_number(text: &str) -> Option<usize> {
    if text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

fn decode(text: &str) -> Option<String> {
    let blanks: Cow<'_, str> = if text.contains('+') { text.replace('+', " ").into() } else { text.into() };
    percent_decode(blanks.as_bytes()).decode_utf8().ok().map(Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(query: &str) -> QueryString {
        QueryString::parse(query).unwrap()
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
    fn windows_accept_whole_numbers_within_bounds() {
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
