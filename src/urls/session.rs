//! Session ids in URLs: which parameters carry one, and the URL without them.
//!
//! A server whose visitor sends no cookie writes the session into every link: as a path parameter
//! (`/list;jsessionid=7F3A`), as a query parameter (`?PHPSESSID=7f3a`), or as a path segment of its own (`/(S(7f3a))/`,
//! ASP.NET). A crawler sends no cookies, so it gets a new id with every page and would take one page for many. What an
//! id selects is the visitor, not the page: every server of these families answers the same page without it.
//!
//! Each entry of `urls.session_params` names one such parameter:
//!
//! | entry | what is taken off |
//! |---|---|
//! | `jsessionid` | path and query parameters of this name, in any case, whatever their value is |
//! | `aspsessionid*` | those whose name begins so |
//! | `;name`, `?name` | path parameters alone, query parameters alone |
//! | `.php?name` | query parameters of a URL whose path ends so |
//! | `sid=id` | those whose value looks like a session id |
//! | `cfid+cftoken` | those beside a parameter of the second name |
//! | `(s(id))` | path segments as ASP.NET writes them: `(S(…))`, `(X(1)F(…)S(…))`, `(…)` with the 24 characters of ASP.NET 1 |
//!
//! A name that one product alone uses is enough (`jsessionid`, `PHPSESSID`). Other names have further meanings: `sid` is
//! a story or a session of a conference as well, `s` a search or an image server's signature. For these the value
//! decides, see [`looks_like_id`]. `s` besides counts only where forums use it, at scripts of PHP and at folders: image
//! servers sign their pictures with the same name and the same 32 digits, and no picture without the signature is there.
//!
//! Most URLs have neither a `;` nor a query. Where there is a query, a table of lengths and first letters tells nearly
//! all of its names apart from those of the list, so that no text is compared and nothing is allocated.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use memchr::memchr2;

/// The names of `urls.session_params` by default.
pub const DEFAULT_SESSION_PARAMS: [&str; 30] = [
    // Servlet containers.
    "jsessionid",
    "jsessionidsso",
    "jservsessionid*",
    // PHP, Perl and shops in PHP.
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
    // BroadVision, and forums of PHP.
    "bv_sessionid",
    "bv_engineid",
    ".php?s=id",
    "/?s=id",
    // Names with other meanings besides.
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

/// Letters and digits of the shortest value that looks like a session id, by default.
pub const DEFAULT_SESSION_MIN_LENGTH: usize = 16;

/// The entry for segments as ASP.NET writes them.
const COOKIELESS: &str = "(s(id))";
/// Letters and digits of a session id of ASP.NET 1, the whole segment between brackets.
const ASP_NET_1: usize = 24;
/// Lengths of names that are told apart by the table; longer ones share the last place.
const LENGTHS: usize = 32;

/// An entry of `urls.session_params` that cannot be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "\"{0}\" is no session parameter: write a name such as \"jsessionid\", \"aspsessionid*\" for any rest, \";name\" for \
     path parameters alone, \"?name\" or \".php?name\" for queries alone, \"name=id\" for values that look like a session \
     id, \"name+other\" for a name beside another, or \"(s(id))\" for segments of ASP.NET"
)]
pub struct SessionParamError(String);

/// The compiled list. Clones share it.
#[derive(Clone)]
pub struct SessionParams(Arc<Compiled>);

struct Compiled {
    params: Vec<Param>,
    /// Whether segments such as `(S(…))` are taken off.
    cookieless: bool,
    min_length: usize,
    /// By a name's length, the first letters that the listed names of that length have: a bit for each.
    initials: [u32; LENGTHS],
}

/// One entry of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Param {
    place: Place,
    /// In lower case.
    name: Box<str>,
    is_prefix: bool,
    condition: Condition,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Anywhere,
    Path,
    /// The query of a URL whose path ends so.
    Query(Box<str>),
}

/// What else makes a parameter of the name a session's.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Condition {
    None,
    LooksLikeId,
    Beside(Box<str>),
}

impl SessionParams {
    /// Compiles a list. Values that look like an id have at least `min_length` letters and digits.
    ///
    /// # Errors
    /// [`SessionParamError`] for the first entry that cannot be read.
    pub fn new<T: AsRef<str>>(entries: &[T], min_length: usize) -> Result<Self, SessionParamError> {
        let mut compiled =
            Compiled { params: Vec::new(), cookieless: false, min_length, initials: [0; LENGTHS] };
        for entry in entries.iter().map(AsRef::as_ref) {
            match entry.eq_ignore_ascii_case(COOKIELESS) {
                true => compiled.cookieless = true,
                false => compiled.add(entry.parse()?),
            }
        }
        Ok(Self(Arc::new(compiled)))
    }

    /// A list without any entry.
    pub fn none() -> Self {
        Self(Arc::new(Compiled {
            params: Vec::new(),
            cookieless: false,
            min_length: 1,
            initials: [0; LENGTHS],
        }))
    }

    /// Whether a query may carry a session id. `false` is certain, and takes no more than a look at each name.
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

    /// Path and query without session ids, `None` where there are none. The path begins with a slash and has no dot
    /// segments, and the result has none either.
    pub(super) fn strip(&self, path: &str, query: Option<&str>) -> Option<(String, Option<String>)> {
        let stripped_path = self.0.strip_path(path);
        // A place is where the URL without session ids has it.
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

impl Compiled {
    fn add(&mut self, param: Param) {
        let length = place_of(param.name.len());
        let lengths = if param.is_prefix { length..LENGTHS } else { length..length + 1 };
        for initials in &mut self.initials[lengths] {
            *initials |= initial(param.name.as_bytes());
        }
        self.params.push(param);
    }

    fn may_name(&self, name: &str) -> bool {
        self.initials[place_of(name.len())] & initial(name.as_bytes()) != 0
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

    /// A segment without session ids, `None` when it is nothing else. Borrowed: it has none.
    fn strip_segment<'s>(&self, segment: &'s str) -> Option<Cow<'s, str>> {
        let stripped = self.strip_parameters(segment);
        let is_whole = self.cookieless && is_cookieless(&stripped, self.min_length);
        (!is_whole).then_some(stripped)
    }

    /// `page;a=1;jsessionid=7F3A` as `page;a=1`. Before a parameter alone may stand dots that would lead to another
    /// folder without it (`..;jsessionid=7F3A`): those stay as they are.
    fn strip_parameters<'s>(&self, segment: &'s str) -> Cow<'s, str> {
        let Some(start) = segment.find(';') else { return Cow::Borrowed(segment) };
        let (name, parameters) = segment.split_at(start);
        let is_named = |name: &str| parameters.split(';').skip(1).any(|pair| is_pair_of(pair, name));
        let kept = parameters.split(';').skip(1).filter(|pair| !self.is_session(pair, None, &is_named));
        let stripped = kept.fold(name.to_owned(), |stripped, pair| stripped + ";" + pair);
        let is_same = stripped.len() == segment.len() || is_dots(&stripped);
        if is_same { Cow::Borrowed(segment) } else { Cow::Owned(stripped) }
    }

    /// A query without session ids; no query at all, if it had no other parameter. `None`: it has no session ids.
    fn strip_query(&self, query: &str, path: &str) -> Option<Option<String>> {
        let is_named = |name: &str| parameters(query).any(|(_, pair)| is_pair_of(pair, name));
        let is_kept = |pair: &str| !self.is_session(pair, Some(path), &is_named);
        let mut kept = parameters(query).filter(|(_, pair)| is_kept(pair));
        // The first that is kept needs no separator.
        let Some((_, first)) = kept.next() else { return Some(None) };
        let stripped = kept.fold(first.to_owned(), |stripped, (separator, pair)| stripped + separator + pair);
        (stripped.len() < query.len()).then_some(Some(stripped))
    }

    /// Whether a `name=value` carries a session id. `path`: of a query parameter, the path before the query.
    /// `is_named`: whether a parameter of a name stands beside it.
    fn is_session(&self, pair: &str, path: Option<&str>, is_named: &dyn Fn(&str) -> bool) -> bool {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        self.may_name(name)
            && self.params.iter().any(|param| {
                param.is_name(name)
                    && param.place.holds(path)
                    && match &param.condition {
                        Condition::None => true,
                        Condition::LooksLikeId => looks_like_id(value, self.min_length),
                        Condition::Beside(other) => is_named(other),
                    }
            })
    }
}

impl Param {
    fn is_name(&self, name: &str) -> bool {
        let start =
            if self.is_prefix { name.as_bytes().get(..self.name.len()) } else { Some(name.as_bytes()) };
        start.is_some_and(|start| start.eq_ignore_ascii_case(self.name.as_bytes()))
    }
}

impl Place {
    /// Whether a parameter of the path (`None`), or of the query behind a path, stands in this place.
    fn holds(&self, path: Option<&str>) -> bool {
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
        let (place, rest) = match (lower.strip_prefix(';'), lower.split_once('?')) {
            (Some(rest), _) => (Place::Path, rest),
            (None, Some((end, rest))) => (Place::Query(end.into()), rest),
            (None, None) => (Place::Anywhere, &lower[..]),
        };
        let (name, condition) = match (rest.strip_suffix("=id"), rest.split_once('+')) {
            (Some(name), _) => (name, Condition::LooksLikeId),
            (None, Some((name, other))) => (name, Condition::Beside(other.into())),
            (None, None) => (rest, Condition::None),
        };
        let (name, is_prefix) = name.strip_suffix('*').map_or((name, false), |start| (start, true));
        let is_name = |name: &str| {
            !name.is_empty()
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'))
        };
        let is_readable = is_name(name)
            && !matches!(&condition, Condition::Beside(other) if !is_name(other))
            && !matches!(&place, Place::Query(end) if end.contains([';', '#']));
        match is_readable {
            true => Ok(Self { place, name: name.into(), is_prefix, condition }),
            false => Err(SessionParamError(text.to_owned())),
        }
    }
}

/// The place of names of a length in the table.
fn place_of(length: usize) -> usize {
    length.min(LENGTHS - 1)
}

/// The bit of a name's first letter. Other characters may share it.
fn initial(name: &[u8]) -> u32 {
    name.first().map_or(0, |first| 1 << (first & 31))
}

fn is_pair_of(pair: &str, name: &str) -> bool {
    pair.split('=').next().is_some_and(|found| found.eq_ignore_ascii_case(name))
}

/// The parameters of a query, each with the separator before it: nothing, then `&`, `;`, or `&amp;` where markup was
/// escaped twice.
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

/// Whether a path segment leads to a folder instead of naming one.
fn is_dots(segment: &str) -> bool {
    segment.len() <= 6 && matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
}

/// Whether a segment is what ASP.NET puts into paths for visitors without cookies: its session between brackets, or
/// letter and value of up to four such tickets.
fn is_cookieless(segment: &str, least: usize) -> bool {
    let Some(inner) = segment.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) else { return false };
    let is_of_id = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'5');
    if inner.len() == ASP_NET_1 && inner.bytes().all(is_of_id) {
        return inner.bytes().any(|b| b.is_ascii_digit());
    }
    let mut rest = inner;
    while let Some((ticket, next)) = rest.split_once(')') {
        let Some((kind, value)) = ticket.split_once('(') else { return false };
        let is_ticket = match kind {
            // Whether cookies work is all that it says.
            "X" | "x" => !value.is_empty(),
            "A" | "a" | "F" | "f" | "S" | "s" => value.len() >= least,
            _ => false,
        };
        if !is_ticket || !value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')) {
            return false;
        }
        rest = next;
    }
    rest.is_empty() && !inner.is_empty()
}

/// Whether a value looks like a session id: as many letters and digits as ids have, both among them, and no words.
///
/// Ids are hexadecimal, base 36, base 64 with `-` and `_`, or a UUID. Some containers append the name of a server
/// (`7F3A….node1`, `7F3A…!-1734`, `0000A2MB…:19hb`), which may be anything. Names of articles have long runs of letters
/// and digits too (`covid-19-vaccine-booster`), but those are words, divided by hyphens.
fn looks_like_id(value: &str, least: usize) -> bool {
    let end = value.find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_').unwrap_or(value.len());
    let is_suffix = value[end..].starts_with(['.', '!', '~', ':', '*', '+', ',', '$', '@', '%', '|']);
    if end < value.len() && !is_suffix {
        return false;
    }
    let id = &value[..end];
    let tokens = || id.split(['-', '_']);
    let is_mixed = |text: &str| {
        text.bytes().filter(u8::is_ascii_alphanumeric).count() >= least
            && text.bytes().any(|b| b.is_ascii_digit())
            && text.bytes().any(|b| b.is_ascii_alphabetic())
    };
    tokens().next().is_some_and(is_mixed) || is_uuid(id) || is_mixed(id) && !tokens().any(is_word)
}

/// Whether a text reads as a word: three letters or more in small letters, in capitals, or with one capital in front.
fn is_word(text: &str) -> bool {
    let rest = text.get(1..).unwrap_or_default();
    let is_all = |is: fn(&u8) -> bool| text.bytes().all(|b| is(&b));
    text.len() >= 3
        && is_all(u8::is_ascii_alphabetic)
        && (is_all(u8::is_ascii_uppercase) || rest.bytes().all(|b| b.is_ascii_lowercase()))
}

fn is_uuid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
}
