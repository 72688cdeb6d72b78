//! What a robots.txt says to one crawler, by RFC 9309 (<https://www.rfc-editor.org/rfc/rfc9309>).
//!
//! In go the bytes of a file and the crawler's product token; out comes a [`RobotsTxt`], which holds only the
//! rules meant for that token and decides on paths. Pure and total: any bytes can be read, no file is an error.
//!
//! * Groups that name the token are merged; without any, the groups of `*` hold (2.2.1).
//! * The longest matching pattern decides, counted in octets; `allow` wins a tie (2.2.2).
//! * `*` stands for any run of octets, `$` at the end for the end (2.2.3). Matching takes the leftmost place for
//!   each piece between two stars, which suffices, so it never goes back.
//! * An octet and its percent-encoded form are one, save where the encoding tells data from structure: `%2F` and
//!   `%3F` in a path, `%26`, `%3D` and `%2B` in a query. This is the comparison of 2.2.2 and of its table. Where a
//!   piece behind a star stands is for the URL to say.
//! * An `allow` of a directory's `index.html` allows the directory itself too, as all readers of note have it.
//! * Slips that every robots.txt reader forgives are forgiven: a missing colon, `useragent`, `dissallow` and a few
//!   more (2.2.4 allows it).
//! * A byte order mark is no part of the line it stands before, where it begins the file or a group: files are put
//!   together out of others.
//! * Records other than `user-agent`, `allow` and `disallow` leave groups alone (2.2.4). Of them `crawl-delay`
//!   and `sitemap` are kept.
//!
//! It does not fetch, does not know what a failed fetch means, and does not cut files to size: see
//! [`super::RobotsCache`].

mod pattern;
mod text;

use std::borrow::Cow;
use std::time::Duration;

use pattern::{Path, Pattern};
use text::Text;

/// The rules of one robots.txt for one crawler.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RobotsTxt {
    /// The rule that decides comes first: by length down, `allow` before `disallow`, then by line.
    rules: Box<[Rule]>,
    /// What deciding on one path may cost: see [`Self::decide`].
    max_compared: usize,
    crawl_delay: Option<Duration>,
    sitemaps: Box<[String]>,
}

/// Whether a path may be fetched, and which line of the file says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    pub allowed: bool,
    /// From 1; 0 when no rule matches and the path is allowed by default.
    pub line: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    pattern: Pattern,
    line: u32,
    allow: bool,
}

/// Longest delay that is told apart from a longer one.
const MAX_DELAY: Duration = Duration::from_secs(366 * 86_400);

impl RobotsTxt {
    /// Reads a file for the crawler named `token`. `max_compared`: see [`Self::decide`].
    pub fn parse(bytes: &[u8], token: &str, max_compared: usize) -> Self {
        let mut reader = Reader::new(token);
        for (index, line) in lines(strip_mark(&Text::of(bytes).bytes)).enumerate() {
            let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
            parts(line).for_each(|part| reader.read(number, part));
        }
        reader.finish(max_compared)
    }

    /// Decides on a path with its query, as a canonical URL holds it. `/robots.txt` itself is always allowed.
    ///
    /// So many bytes of the path are compared with wildcards, over all rules. Of the rules that are left then, a
    /// `disallow` holds for every path that begins as it does up to its first star, and no `allow` with a star holds:
    /// nothing is fetched that the whole file forbids.
    pub fn decide(&self, path_and_query: &str) -> Decision {
        let by_default = Decision { allowed: true, line: 0 };
        if self.rules.is_empty() || path_and_query == "/robots.txt" {
            return by_default;
        }
        let path = if path_and_query.is_empty() { "/" } else { path_and_query };
        let path = Path::new(path);
        let mut left = self.max_compared;
        let mut holds = |rule: &Rule| rule.pattern.matches(&path, &mut left).unwrap_or(!rule.allow);
        self.rules
            .iter()
            .find(|rule| holds(rule))
            .map_or(by_default, |rule| Decision { allowed: rule.allow, line: rule.line })
    }

    /// The pause that the file asks this crawler to make between two fetches.
    pub fn crawl_delay(&self) -> Option<Duration> {
        self.crawl_delay
    }

    /// The addresses of sitemaps, as written; they are meant for every crawler.
    pub fn sitemaps(&self) -> &[String] {
        &self.sitemaps
    }

    /// Bytes this takes in memory, roughly.
    pub fn weight(&self) -> usize {
        size_of::<Self>()
            + self.rules.iter().map(|rule| size_of::<Rule>() + rule.pattern.weight()).sum::<usize>()
            + self.sitemaps.iter().map(|text| size_of::<String>() + text.len()).sum::<usize>()
    }
}

/// What has been gathered for one kind of group: those that name the crawler, or those of `*`.
#[derive(Default)]
struct Gathered {
    /// Whether the group now being read is of this kind.
    current: bool,
    /// Whether the file has a group of this kind.
    seen: bool,
    rules: Vec<Rule>,
    crawl_delay: Option<Duration>,
}

struct Reader<'a> {
    token: &'a str,
    named: Gathered,
    general: Gathered,
    /// Whether the last record was a `user-agent`, so that another one joins its group.
    in_header: bool,
    sitemaps: Vec<String>,
}

impl<'a> Reader<'a> {
    fn new(token: &'a str) -> Self {
        Self {
            token,
            named: Gathered::default(),
            general: Gathered::default(),
            in_header: false,
            sitemaps: Vec::new(),
        }
    }

    fn read(&mut self, number: u32, line: &[u8]) {
        let Some((key, value)) = record(line) else { return };
        match key {
            Key::UserAgent => self.read_agent(value),
            Key::Allow => self.read_rule(number, value, true),
            Key::Disallow => self.read_rule(number, value, false),
            Key::CrawlDelay => self.read_delay(value),
            Key::Sitemap if value.is_empty() => {}
            Key::Sitemap => self.sitemaps.push(String::from_utf8_lossy(value).into_owned()),
        }
    }

    fn read_agent(&mut self, value: &[u8]) {
        if !self.in_header {
            self.named.current = false;
            self.general.current = false;
            self.in_header = true;
        }
        let group = if is_everybody(value) {
            &mut self.general
        } else if product_token(value).eq_ignore_ascii_case(self.token.as_bytes()) {
            &mut self.named
        } else {
            return;
        };
        group.current = true;
        group.seen = true;
    }

    fn read_rule(&mut self, line: u32, value: &[u8], allow: bool) {
        self.in_header = false;
        let wanted = self.named.current || (self.general.current && !self.named.seen);
        if value.is_empty() || !wanted {
            return;
        }
        let group = if self.named.current { &mut self.named } else { &mut self.general };
        group.rules.push(Rule { pattern: Pattern::new(value), line, allow });
        if allow && let Some(directory) = directory_of_index(value) {
            group.rules.push(Rule { pattern: Pattern::anchored(directory), line, allow });
        }
    }

    /// The first delay of a group holds.
    fn read_delay(&mut self, value: &[u8]) {
        let seconds = std::str::from_utf8(value).ok().and_then(|text| text.parse::<f64>().ok());
        let Some(seconds) = seconds.filter(|s| s.is_finite() && *s >= 0.0) else { return };
        let delay = Duration::from_secs_f64(seconds.min(MAX_DELAY.as_secs_f64()));
        for group in [&mut self.named, &mut self.general] {
            if group.current {
                group.crawl_delay.get_or_insert(delay);
            }
        }
    }

    fn finish(self, max_compared: usize) -> RobotsTxt {
        let group = if self.named.seen { self.named } else { self.general };
        let mut rules = group.rules;
        rules.sort_by_cached_key(|rule| (std::cmp::Reverse(rule.pattern.length()), !rule.allow, rule.line));
        RobotsTxt {
            rules: rules.into_boxed_slice(),
            max_compared,
            crawl_delay: group.crawl_delay,
            sitemaps: self.sitemaps.into_boxed_slice(),
        }
    }
}

/// The text of a file, in UTF-8 as far as it is text.
///
/// # Errors
/// [`NotText`] when it cannot be text, and nothing in it is a record.
pub fn text(bytes: &[u8]) -> Result<Cow<'_, [u8]>, NotText> {
    let Text { bytes, is_damaged } = Text::of(bytes);
    let has_record = || lines(strip_mark(&bytes)).flat_map(parts).any(|part| record(part).is_some());
    if is_damaged && !has_record() { Err(NotText) } else { Ok(bytes) }
}

/// A file that cannot be read, and that might say anything.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("it is no text in UTF-8 or UTF-16, and has no line that can be read")]
pub struct NotText;

/// The part of a text that was cut up to its last whole line: a line that was cut could mean anything.
pub fn whole_lines(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|b| matches!(b, b'\n' | b'\r'));
    &bytes[..end.unwrap_or(0)]
}

const MARK: &[u8] = b"\xEF\xBB\xBF";

/// A text without its byte order marks. What a careless editor left of one goes too: it hides no rule.
fn strip_mark(mut bytes: &[u8]) -> &[u8] {
    while let Some(rest) = bytes.strip_prefix(MARK) {
        bytes = rest;
    }
    for mark in MARK {
        bytes = bytes.strip_prefix(&[*mark]).unwrap_or(bytes);
    }
    bytes
}

/// A line, parted where a byte order mark stands before the beginning of a group.
fn parts(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let line = rest.take()?;
        for mark in memchr::memchr_iter(MARK[0], line) {
            let group = line[mark..].strip_prefix(MARK).map(strip_mark);
            if let Some((group, (Key::UserAgent, _))) = group.and_then(|group| Some((group, record(group)?)))
            {
                rest = Some(group);
                return Some(&line[..mark]);
            }
        }
        Some(line)
    })
}

/// The lines of a file, each ended by CR, LF or CR LF.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let bytes = rest?;
        let Some(end) = bytes.iter().position(|&b| b == b'\n' || b == b'\r') else {
            rest = None;
            return Some(bytes);
        };
        let next = if bytes[end..].starts_with(b"\r\n") { end + 2 } else { end + 1 };
        rest = Some(&bytes[next..]);
        Some(&bytes[..end])
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    UserAgent,
    Allow,
    Disallow,
    CrawlDelay,
    Sitemap,
}

/// How keys are written, and how they are often written by mistake.
const KEYS: [(&str, Key); 14] = [
    ("user-agent", Key::UserAgent),
    ("useragent", Key::UserAgent),
    ("user agent", Key::UserAgent),
    ("allow", Key::Allow),
    ("disallow", Key::Disallow),
    ("dissallow", Key::Disallow),
    ("dissalow", Key::Disallow),
    ("disalow", Key::Disallow),
    ("diasllow", Key::Disallow),
    ("disallaw", Key::Disallow),
    ("crawl-delay", Key::CrawlDelay),
    ("crawldelay", Key::CrawlDelay),
    ("sitemap", Key::Sitemap),
    ("site-map", Key::Sitemap),
];

/// Key and value of a line, if it is a record that is read.
fn record(line: &[u8]) -> Option<(Key, &[u8])> {
    let line = line.split(|&b| b == b'#').next().unwrap_or_default();
    let (key, value) = key_and_value(line.trim_ascii())?;
    let (_, key) = KEYS.iter().find(|(name, _)| key.eq_ignore_ascii_case(name.as_bytes()))?;
    Some((*key, value))
}

/// Where the colon was forgotten, a line of just two words is read as if it stood there.
fn key_and_value(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let (end, next) = match line.iter().position(|&b| b == b':') {
        Some(colon) => (colon, colon + 1),
        None => line.iter().position(u8::is_ascii_whitespace).map(|blank| (blank, blank))?,
    };
    let (key, value) = (line[..end].trim_ascii(), line[next..].trim_ascii());
    (end != next || !value.iter().any(u8::is_ascii_whitespace)).then_some((key, value))
}

fn is_everybody(value: &[u8]) -> bool {
    value.first() == Some(&b'*') && value.get(1).is_none_or(u8::is_ascii_whitespace)
}

/// The product token that a `user-agent` value begins with. RFC 9309 gives it no digits, but names with digits
/// are common, and `bot2` must not be taken for `bot`.
fn product_token(value: &[u8]) -> &[u8] {
    let end = value.iter().position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')));
    &value[..end.unwrap_or(value.len())]
}

/// The directory, with its slash, whose index page a pattern names: who allows `/a/index.html` allows `/a/`.
fn directory_of_index(pattern: &[u8]) -> Option<&[u8]> {
    let slash = pattern.iter().rposition(|&b| b == b'/')?;
    pattern[slash..].starts_with(b"/index.htm").then(|| &pattern[..=slash])
}
