//! One entry of `urls.session_params`: the name and location of parameters.

use std::str::FromStr;

/// A malformed entry of `urls.session_params`.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "\"{0}\" is no session parameter: write a name such as \"jsessionid\", \"aspsessionid*\" for any rest, \";name\" for \
     path parameters alone, \"?name\" or \".php?name\" for queries alone, \"name=id\" for values that look like a session \
     id, \"name+other\" for a name beside another, or \"(s(id))\" for segments of ASP.NET"
)]
pub struct SessionParamError(String);

/// One entry of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Param {
    pub location: ParamLocation,
    /// In lower case.
    pub name: Box<str>,
    pub is_prefix: bool,
    pub condition: ValueCondition,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ParamLocation {
    Anywhere,
    Path,
    /// The query of a URL whose path ends with this text.
    Query(Box<str>),
}

/// A further condition for a parameter of the name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ValueCondition {
    None,
    LooksLikeId,
    Beside(Box<str>),
}

impl Param {
    pub(super) fn is_name(&self, name: &str) -> bool {
        let start =
            if self.is_prefix { name.as_bytes().get(..self.name.len()) } else { Some(name.as_bytes()) };
        start.is_some_and(|start| start.eq_ignore_ascii_case(self.name.as_bytes()))
    }
}

impl ParamLocation {
    /// Whether this location includes a parameter of the path (`None`), or of the query behind a path.
    pub(super) fn matches(&self, path: Option<&str>) -> bool {
        match (self, path) {
            (Self::Anywhere, _) | (Self::Path, None) => true,
            (Self::Path, Some(_)) | (Self::Query(_), None) => false,
            (Self::Query(end), Some(path)) => {
                let start = path.len().checked_sub(end.len());
                start.is_some_and(|start| path.as_bytes()[start..].eq_ignore_ascii_case(end.as_bytes()))
            }
        }
    }
}

impl FromStr for Param {
    type Err = SessionParamError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let lower = text.to_ascii_lowercase();
        let (location, rest) = match (lower.strip_prefix(';'), lower.split_once('?')) {
            (Some(rest), _) => (ParamLocation::Path, rest),
            (None, Some((end, rest))) => (ParamLocation::Query(end.into()), rest),
            (None, None) => (ParamLocation::Anywhere, &lower[..]),
        };
        let (name, condition) = match (rest.strip_suffix("=id"), rest.split_once('+')) {
            (Some(name), _) => (name, ValueCondition::LooksLikeId),
            (None, Some((name, other))) => (name, ValueCondition::Beside(other.into())),
            (None, None) => (rest, ValueCondition::None),
        };
        let (name, is_prefix) = name.strip_suffix('*').map_or((name, false), |start| (start, true));
        let is_name = |name: &str| {
            !name.is_empty()
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'))
        };
        let is_readable = is_name(name)
            && !matches!(&condition, ValueCondition::Beside(other) if !is_name(other))
            && !matches!(&location, ParamLocation::Query(end) if end.contains([';', '#']));
        match is_readable {
            true => Ok(Self { location, name: name.into(), is_prefix, condition }),
            false => Err(SessionParamError(text.to_owned())),
        }
    }
}
