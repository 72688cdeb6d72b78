//! Session ids in URLs: the parameters that carry them, and their removal.
//!
//! For a visitor without cookies, a server writes the session into every link: as a path parameter
//! (`/list;jsessionid=7F3A`), as a query parameter (`?PHPSESSID=7f3a`), or as a path segment (`/(S(7f3a))/`,
//! ASP.NET). A crawler sends no cookies, so it gets a new id with every page and would take one page for many. The id
//! selects the visitor, not the page: servers of these families give the same page without it.
//!
//! Each entry of `urls.session_params` names one such parameter:
//!
//! | entry | removes |
//! |---|---|
//! | `jsessionid` | path and query parameters of this name, in any case, with any value |
//! | `aspsessionid*` | those whose name starts so |
//! | `;name`, `?name` | only path parameters, only query parameters |
//! | `.php?name` | query parameters of a URL whose path ends so |
//! | `sid=id` | those whose value looks like a session id |
//! | `cfid+cftoken` | those next to a parameter of the second name |
//! | `(s(id))` | path segments of ASP.NET: `(S(…))`, `(X(1)F(…)S(…))`, `(…)` with the 24 characters of ASP.NET 1 |
//!
//! A name that only one product uses is sufficient (`jsessionid`, `PHPSESSID`). Other names have several meanings:
//! `sid` may be a story or a conference session, `s` a search or the signature of an image server. For these the
//! value decides, see [`id::looks_like_id`]. Also, `s` counts only where forums use it, at PHP scripts and at
//! folders. Image servers sign URLs with the same name and also 32 digits, and serve no image without the signature.
//!
//! Most URLs have neither a `;` nor a query. For queries, a table of name lengths and first letters excludes nearly
//! all names without comparing texts or allocating memory.

mod id;
mod param;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use memchr::memchr2;

use id::{is_cookieless, looks_like_id};
use param::{Param, ValueCondition};

pub use param::SessionParamError;

/// The default of `urls.session_params`.
pub const DEFAULT_SESSION_PARAMS: [&str; 30] = [
    // Servlet containers.
    "jsessionid",
    "jsessionidsso",
    "jservsessionid*",
    // PHP, Perl and PHP shops.
    "phpsessid",
    "phpsessionid",
    "cgisessid",
    "oscsid",
    "xtcsid",
    "zenid",
    // ASP and ASP.NET.
    "aspsessionid*",
    "asp.net_sessionid",
    "?aspxautodetectcookiesupport",
    "(s(id))",
    // ColdFusion.
    "cftoken",
    "cfid+cftoken",
    // BroadVision and PHP forums.
    "bv_sessionid",
    "bv_engineid",
    ".php?s=id",
    "/?s=id",
    // Names with other meanings.
    "sid=id",
    "_sid=id",
    "jsid=id",
    "sess=id",
    "sessid=id",
    "sess_id=id",
    "session=id",
    "session_id=id",
    "session-id=id",
    "sessionid=id",
    "gsessionid=id",
];

/// The default minimum length of a value that looks like a session id, in letters and digits.
pub const DEFAULT_SESSION_MIN_LENGTH: usize = 16;

/// The entry for ASP.NET segments.
const COOKIELESS: &str = "(s(id))";
/// Number of name lengths in the table; longer names share the last entry.
const LENGTH_CLASSES: usize = 32;

/// The compiled list. Clones share it.
#[derive(Clone)]
pub struct SessionParams(Arc<CompiledParams>);

struct CompiledParams {
    params: Vec<Param>,
    /// Whether to remove segments such as `(S(…))`.
    cookieless: bool,
    min_length: usize,
    /// For each name length, a bit set of the first letters of the listed names.
    initials: [u32; LENGTH_CLASSES],
}

impl SessionParams {
    /// Compiles a list. A value that looks like an id has at least `min_length` letters and digits.
    ///
    /// # Errors
    /// [`SessionParamError`] for the first malformed entry.
    pub fn new<T: AsRef<str>>(entries: &[T], min_length: usize) -> Result<Self, SessionParamError> {
        let mut compiled = CompiledParams {
            params: Vec::new(),
            cookieless: false,
            min_length,
            initials: [0; LENGTH_CLASSES],
        };
        for entry in entries.iter().map(AsRef::as_ref) {
            match entry.eq_ignore_ascii_case(COOKIELESS) {
                true => compiled.cookieless = true,
                false => compiled.add(entry.parse()?),
            }
        }
        Ok(Self(Arc::new(compiled)))
    }

    /// An empty list.
    pub fn none() -> Self {
        Self(Arc::new(CompiledParams {
            params: Vec::new(),
            cookieless: false,
            min_length: 1,
            initials: [0; LENGTH_CLASSES],
        }))
    }

    /// Whether a query may carry a session id. `false` is certain. Costs one look at each name.
    pub(super) fn may_be_in_query(&self, query: &str) -> bool {
        if self.0.params.is_empty() {
            return false;
        }
        let mut name = Some(0);
        for (at, byte) in query.bytes().enumerate() {
            match byte {
                b'=' if name.take().is_some_and(|start| self.0.may_name(&query[start..at])) => return true,
                b'&' | b';' => {
                    if name.is_some_and(|start| self.0.may_name(&query[start..at])) {
                        return true;
                    }
                    name = Some(at + 1);
                }
                _ => {}
            }
        }
        name.is_some_and(|start| self.0.may_name(&query[start..]))
    }

    /// Path and query without session ids; `None` if there are none. The path starts with a slash and has no dot
    /// segments, and neither has the result.
    pub(super) fn strip(&self, path: &str, query: Option<&str>) -> Option<(String, Option<String>)> {
        let stripped_path = self.0.strip_path(path);
        // Locations refer to the URL without session ids.
        let path = stripped_path.as_deref().unwrap_or(path);
        let suspected = query.filter(|query| self.may_be_in_query(query));
        let stripped_query = suspected.and_then(|query| self.0.strip_query(query, path));
        if stripped_path.is_none() && stripped_query.is_none() {
            return None;
        }
        let query = stripped_query.unwrap_or_else(|| query.map(str::to_owned));
        Some((path.to_owned(), query))
    }
}

impl Default for SessionParams {
    fn default() -> Self {
        Self::new(&DEFAULT_SESSION_PARAMS, DEFAULT_SESSION_MIN_LENGTH).unwrap_or_else(|_| Self::none())
    }
}

impl fmt::Debug for SessionParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.0.params).finish()
    }
}

impl CompiledParams {
    fn add(&mut self, param: Param) {
        let length = length_class(param.name.len());
        let lengths = if param.is_prefix { length..LENGTH_CLASSES } else { length..length + 1 };
        for initials in &mut self.initials[lengths] {
            *initials |= initial(param.name.as_bytes());
        }
        self.params.push(param);
    }

    fn may_name(&self, name: &str) -> bool {
        self.initials[length_class(name.len())] & initial(name.as_bytes()) != 0
    }

    fn strip_path(&self, path: &str) -> Option<String> {
        memchr2(b';', b'(', path.as_bytes())?;
        let segments = || path.split('/').skip(1).map(|segment| self.strip_segment(segment));
        if segments().all(|segment| matches!(segment, Some(Cow::Borrowed(_)))) {
            return None;
        }
        let mut stripped = String::with_capacity(path.len());
        let mut is_last_gone = false;
        for segment in segments() {
            is_last_gone = segment.is_none();
            for part in segment.iter().flat_map(|segment| ["/", segment]) {
                stripped.push_str(part);
            }
        }
        if is_last_gone {
            stripped.push('/');
        }
        Some(stripped)
    }

    /// A segment without session ids; `None` when nothing remains. Borrowed when it has none.
    fn strip_segment<'s>(&self, segment: &'s str) -> Option<Cow<'s, str>> {
        let stripped = self.strip_parameters(segment);
        let is_whole = self.cookieless && is_cookieless(&stripped, self.min_length);
        (!is_whole).then_some(stripped)
    }

    /// Turns `page;a=1;jsessionid=7F3A` into `page;a=1`. If the rest would be a dot segment (`..;jsessionid=7F3A`),
    /// the segment stays as it is.
    fn strip_parameters<'s>(&self, segment: &'s str) -> Cow<'s, str> {
        let Some(start) = segment.find(';') else { return Cow::Borrowed(segment) };
        let (name, parameters) = segment.split_at(start);
        let has_param = |name: &str| parameters.split(';').skip(1).any(|pair| is_pair_of(pair, name));
        let kept = parameters.split(';').skip(1).filter(|pair| !self.is_session(pair, None, &has_param));
        let stripped = kept.fold(name.to_owned(), |stripped, pair| stripped + ";" + pair);
        let is_same = stripped.len() == segment.len() || is_dot_segment(&stripped);
        if is_same { Cow::Borrowed(segment) } else { Cow::Owned(stripped) }
    }

    /// A query without session ids, or no query if no other parameter remains. `None`: it has no session ids.
    fn strip_query(&self, query: &str, path: &str) -> Option<Option<String>> {
        let has_param = |name: &str| parameters(query).any(|(_, pair)| is_pair_of(pair, name));
        let is_kept = |pair: &str| !self.is_session(pair, Some(path), &has_param);
        let mut kept = parameters(query).filter(|(_, pair)| is_kept(pair));
        // The first one needs no separator.
        let Some((_, first)) = kept.next() else { return Some(None) };
        let stripped = kept.fold(first.to_owned(), |stripped, (separator, pair)| stripped + separator + pair);
        (stripped.len() < query.len()).then_some(Some(stripped))
    }

    /// Whether a `name=value` carries a session id. `path` is the path before the query, for a query parameter.
    /// `has_param`: whether there is a parameter of that name next to it.
    fn is_session(&self, pair: &str, path: Option<&str>, has_param: &dyn Fn(&str) -> bool) -> bool {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        self.may_name(name)
            && self.params.iter().any(|param| {
                param.is_name(name)
                    && param.location.matches(path)
                    && match &param.condition {
                        ValueCondition::None => true,
                        ValueCondition::LooksLikeId => looks_like_id(value, self.min_length),
                        ValueCondition::Beside(other) => has_param(other),
                    }
            })
    }
}

/// The index in the table for names of this length.
fn length_class(length: usize) -> usize {
    length.min(LENGTH_CLASSES - 1)
}

/// The bit of a name's first letter. Other characters may share it.
fn initial(name: &[u8]) -> u32 {
    name.first().map_or(0, |first| 1 << (first & 31))
}

fn is_pair_of(pair: &str, name: &str) -> bool {
    pair.split('=').next().is_some_and(|found| found.eq_ignore_ascii_case(name))
}

/// The parameters of a query, each with the separator before it: nothing, then `&`, `;`, or `&amp;` in markup that
/// was escaped twice.
fn parameters(query: &str) -> impl Iterator<Item = (&str, &str)> {
    let (mut rest, mut is_first) = (Some(query), true);
    std::iter::from_fn(move || {
        let text = rest?;
        let length = match text {
            _ if std::mem::take(&mut is_first) => 0,
            _ if text.starts_with("&amp;") => "&amp;".len(),
            _ => 1,
        };
        let (separator, text) = text.split_at(length);
        let end = memchr2(b'&', b';', text.as_bytes());
        let (pair, next) = end.map_or((text, None), |end| (&text[..end], Some(&text[end..])));
        rest = next;
        Some((separator, pair))
    })
}

/// Whether a path segment is `.` or `..`.
fn is_dot_segment(segment: &str) -> bool {
    segment.len() <= 6 && matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
}
