//! The rules of a robots.txt for one crawler, by RFC 9309 (<https://www.rfc-editor.org/rfc/rfc9309>).
//!
//! The input is the bytes of a file and the product token of the crawler. The output is a [`RobotsTxt`] with the
//! rules for that token, which decides on paths. Parsing is pure and total: every input is accepted.
//!
//! * Groups that name the token are merged; without any, the groups of `*` apply (2.2.1).
//! * The longest matching pattern decides, counted in octets; `allow` wins a tie (2.2.2).
//! * `*` matches any run of octets, and a final `$` matches the end (2.2.3). Matching takes the leftmost position for
//!   each piece between two stars. That is sufficient, so it never backtracks.
//! * An octet equals its percent-encoded form, except where the encoding separates data from structure: `%2F` and
//!   `%3F` in a path, `%26`, `%3D` and `%2B` in a query. This is the comparison of 2.2.2 and its table. For a piece
//!   behind a star, its position in the URL decides which of the two applies.
//! * An `allow` of a directory's `index.html` allows the directory itself too, as in all major parsers.
//! * Common mistakes are accepted, as in all parsers: a missing colon, `useragent`, `dissallow` and a few more (2.2.4
//!   allows it).
//! * A byte order mark at the start of the file or of a group is skipped: some files are concatenations.
//! * Records other than `user-agent`, `allow` and `disallow` do not affect groups (2.2.4). Of them `crawl-delay` and
//!   `sitemap` are kept.
//!
//! Fetching, the meaning of a failed fetch and the size limit are in [`super::RobotsCache`].

mod pattern;
mod text;

use std::borrow::Cow;
use std::time::Duration;

use pattern::{Path, PathPattern};
use text::DecodedText;

/// The rules of one robots.txt for one crawler.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RobotsTxt {
    /// Sorted so that the first match decides: by descending length, `allow` before `disallow`, then by line.
    rules: Box<[Rule]>,
    /// The cost limit of a decision: see [`Self::decide`].
    max_compared: usize,
    crawl_delay: Option<Duration>,
    sitemaps: Box<[String]>,
}

/// Whether a path may be fetched, and the deciding line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    pub allowed: bool,
    /// From 1; 0 when no rule matches and the path is allowed by default.
    pub line: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    pattern: PathPattern,
    line: u32,
    allow: bool,
}

/// Longer delays are cut to this one.
const MAX_DELAY: Duration = Duration::from_secs(366 * 86_400);

impl RobotsTxt {
    /// Parses a file for the crawler named `token`. `max_compared`: see [`Self::decide`].
    pub fn parse(bytes: &[u8], token: &str, max_compared: usize) -> Self {
        let mut reader = LineReader::new(token);
        for (index, line) in lines(strip_bom(&DecodedText::decode(bytes).bytes)).enumerate() {
            let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
            split_at_bom(line).for_each(|part| reader.read_record(number, part));
        }
        reader.finish(max_compared)
    }

    /// Decides on a path with its query, as in a canonical URL. `/robots.txt` itself is always allowed.
    ///
    /// At most `max_compared` bytes are compared with wildcards, over all rules. Beyond that, a `disallow` applies to
    /// every path that starts with its text before the first star, and an `allow` with a star does not apply. So no
    /// path is fetched that the whole file forbids.
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

    /// The pause between two fetches that the file asks of this crawler.
    pub fn crawl_delay(&self) -> Option<Duration> {
        self.crawl_delay
    }

    /// The URLs of sitemaps, as written; they apply to every crawler.
    pub fn sitemaps(&self) -> &[String] {
        &self.sitemaps
    }

    /// Approximate size in memory, in bytes.
    pub fn weight(&self) -> usize {
        size_of::<Self>()
            + self.rules.iter().map(|rule| size_of::<Rule>() + rule.pattern.weight()).sum::<usize>()
            + self.sitemaps.iter().map(|text| size_of::<String>() + text.len()).sum::<usize>()
    }
}

/// The records of one kind of group: those that name the crawler, or those of `*`.
#[derive(Default)]
struct Group {
    /// Whether the current group is of this kind.
    current: bool,
    /// Whether the file has a group of this kind.
    seen: bool,
    rules: Vec<Rule>,
    crawl_delay: Option<Duration>,
}

struct LineReader<'a> {
    token: &'a str,
    named: Group,
    general: Group,
    /// Whether the last record was a `user-agent`, so that another one joins its group.
    in_header: bool,
    sitemaps: Vec<String>,
}

impl<'a> LineReader<'a> {
    fn new(token: &'a str) -> Self {
        Self {
            token,
            named: Group::default(),
            general: Group::default(),
            in_header: false,
            sitemaps: Vec::new(),
        }
    }

    fn read_record(&mut self, number: u32, line: &[u8]) {
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
        let group = if is_wildcard(value) {
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
        group.rules.push(Rule { pattern: PathPattern::new(value), line, allow });
        if allow && let Some(directory) = directory_of_index(value) {
            group.rules.push(Rule { pattern: PathPattern::anchored(directory), line, allow });
        }
    }

    /// The first delay of a group applies.
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
/// [`NotText`] when it is not text and has no valid record.
pub fn text(bytes: &[u8]) -> Result<Cow<'_, [u8]>, NotText> {
    let DecodedText { bytes, is_damaged } = DecodedText::decode(bytes);
    let has_record = || lines(strip_bom(&bytes)).flat_map(split_at_bom).any(|part| record(part).is_some());
    if is_damaged && !has_record() { Err(NotText) } else { Ok(bytes) }
}

/// An unreadable file, whose content is unknown.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("it is no text in UTF-8 or UTF-16, and has no line that can be read")]
pub struct NotText;

/// A truncated text up to its last whole line. A truncated line could mean anything.
pub fn whole_lines(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|b| matches!(b, b'\n' | b'\r'));
    &bytes[..end.unwrap_or(0)]
}

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// A text without its byte order marks. Incomplete marks are removed too, so that they hide no rule.
fn strip_bom(mut bytes: &[u8]) -> &[u8] {
    while let Some(rest) = bytes.strip_prefix(BOM) {
        bytes = rest;
    }
    for mark in BOM {
        bytes = bytes.strip_prefix(&[*mark]).unwrap_or(bytes);
    }
    bytes
}

/// Splits a line where a byte order mark precedes the start of a group.
fn split_at_bom(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let line = rest.take()?;
        for mark in memchr::memchr_iter(BOM[0], line) {
            let group = line[mark..].strip_prefix(BOM).map(strip_bom);
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

/// The spellings of keys, including common mistakes.
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

/// Key and value of a line, if it is a known record.
fn record(line: &[u8]) -> Option<(Key, &[u8])> {
    let line = line.split(|&b| b == b'#').next().unwrap_or_default();
    let (key, value) = key_and_value(line.trim_ascii())?;
    let (_, key) = KEYS.iter().find(|(name, _)| key.eq_ignore_ascii_case(name.as_bytes()))?;
    Some((*key, value))
}

/// Splits a line at its colon. Without a colon, a line of exactly two words is split between them.
fn key_and_value(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let (end, next) = match line.iter().position(|&b| b == b':') {
        Some(colon) => (colon, colon + 1),
        None => line.iter().position(u8::is_ascii_whitespace).map(|blank| (blank, blank))?,
    };
    let (key, value) = (line[..end].trim_ascii(), line[next..].trim_ascii());
    (end != next || !value.iter().any(u8::is_ascii_whitespace)).then_some((key, value))
}

fn is_wildcard(value: &[u8]) -> bool {
    value.first() == Some(&b'*') && value.get(1).is_none_or(u8::is_ascii_whitespace)
}

/// The product token at the start of a `user-agent` value. RFC 9309 excludes digits, but names with digits are
/// common, and `bot2` must not match `bot`.
fn product_token(value: &[u8]) -> &[u8] {
    let end = value.iter().position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')));
    &value[..end.unwrap_or(value.len())]
}

/// The directory, with its slash, of a pattern that names its index page: allowing `/a/index.html` allows `/a/`.
fn directory_of_index(pattern: &[u8]) -> Option<&[u8]> {
    let slash = pattern.iter().rposition(|&b| b == b'/')?;
    pattern[slash..].starts_with(b"/index.htm").then(|| &pattern[..=slash])
}
