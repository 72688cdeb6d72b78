//! The fast path to a canonical URL, for references that only need joining, which are most on the web. The `url`
//! crate handles the others. Both give the same result (see the test below).

use super::host::is_resolvable;
use super::session::SessionParams;

/// The base of plain references: scheme, host and port of a URL, and the folder of its path.
#[derive(Clone, Debug)]
pub(super) struct PlainBase {
    /// Ends with a slash; has no dot segments, query or fragment.
    folder: Box<str>,
    /// Offset of its path.
    path: usize,
}

/// Bytes that stay as they are in paths and in queries. Other bytes are escaped, end the part, or may be another
/// spelling of a dot.
const fn is_plain(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~')
}

/// Bytes that stay as they are in queries.
const fn is_plain_in_query(byte: u8) -> bool {
    is_plain(byte) || matches!(byte, b'/' | b'?' | b'=' | b'&' | b'+' | b'%' | b',' | b';' | b':' | b'@')
}

impl PlainBase {
    /// `None` unless the URL is http or https, has a resolvable host, and no user name.
    pub(super) fn new(url: &url::Url) -> Option<Self> {
        let host = url.host_str().filter(|host| is_resolvable(host))?;
        let has_user = !url.username().is_empty() || url.password().is_some();
        if has_user || host.ends_with('.') || !matches!(url.scheme(), "http" | "https") {
            return None;
        }
        let path = &url[..url::Position::BeforePath];
        let folder = &url.path()[..=url.path().rfind('/')?];
        // The canonical form escapes `^`, and the `url` crate does not. The others may start a session id.
        let is_plain = !folder.contains(['^', ';']) && !folder.contains("/(");
        let folder = is_plain.then(|| format!("{path}{folder}"))?;
        Some(Self { folder: folder.into(), path: path.len() })
    }

    /// The canonical URL of a plain reference, whatever its length. A query that may carry a session id is not plain;
    /// a plain path carries none.
    pub(super) fn join(&self, reference: &str, sessions: &SessionParams) -> Option<String> {
        let reference = &reference[..reference.find('#').unwrap_or(reference.len())];
        let (path, query) = match reference.find('?') {
            Some(at) => reference.split_at(at),
            None => (reference, ""),
        };
        let is_plain = |query: &str| query.bytes().all(is_plain_in_query) && !sessions.may_be_in_query(query);
        if !query.strip_prefix('?').is_none_or(is_plain) {
            return None;
        }
        let room = self.folder.len() + reference.len() + 1;
        if let Some(rest) = path.strip_prefix("https://").or_else(|| path.strip_prefix("http://")) {
            let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            if !is_plain_host(host) {
                return None;
            }
            let mut url = String::with_capacity(reference.len() + 1);
            url.push_str(&reference[..reference.len() - query.len() - path.len()]);
            let start = url.len();
            url.push('/');
            return push_segments(url, start, path.strip_prefix('/').unwrap_or(path), query);
        }
        let mut url = String::with_capacity(room);
        match path.strip_prefix('/') {
            // Two slashes start another host.
            Some(rest) if rest.starts_with('/') => None,
            Some(rest) => {
                url.push_str(&self.folder[..=self.path]);
                push_segments(url, self.path, rest, query)
            }
            // A lone query belongs to the path of the base, and an empty reference is the base.
            None if path.is_empty() => None,
            None => {
                url.push_str(&self.folder);
                push_segments(url, self.path, path, query)
            }
        }
    }
}

/// A lower-case host name without encoded labels. Its last label starts with a letter, so that it cannot be an
/// address.
fn is_plain_host(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or_default();
    last.starts_with(|first: char| first.is_ascii_lowercase())
        && !host.starts_with('[')
        && is_resolvable(host)
        && !host.split('.').any(|label| label.starts_with("xn--"))
}

/// Appends the segments of a path to a URL that ends with a slash and whose path starts at `start`, then the query.
fn push_segments(mut url: String, start: usize, path: &str, query: &str) -> Option<String> {
    let mut segments = path.split('/').peekable();
    while let Some(segment) = segments.next() {
        match segment {
            "." => {}
            ".." => {
                let parent = url[start..url.len() - 1].rfind('/').unwrap_or(0);
                url.truncate(start + parent + 1);
            }
            _ if segment.bytes().all(is_plain) => {
                url.push_str(segment);
                if segments.peek().is_some() {
                    url.push('/');
                }
            }
            _ => return None,
        }
    }
    url.push_str(query);
    Some(url)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::Url;

    use super::*;

    const BASES: [&str; 9] = [
        "http://a.org/",
        "https://a.org:8443/b/c/d.html?q=/x/y",
        "http://192.0.2.1/b//c/",
        "http://[2001:db8::1]/b/c",
        "https://x_y.a-b.co.uk/%7Eb/./c/../d/e%2F/f",
        "http://a.org/b^c/d",
        "http://a.org./b",
        "http://a.org/b;jsessionid=1/c",
        "http://a.org/(S(lit3py55t21z5v55vlm25s55))/c",
    ];

    fn reference() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            4 => prop::sample::select(vec!["/", "/", "/", "..", ".", "a", "Bc", "x.html", "~u", "-_", "0x1", "7"]),
            1 => prop::sample::select(vec![
                "//", "?", "#", "&a=b", "=", "%2e", "%", " ", "^", "\\", "é", ":", "@", ";", "'", "\t", "|", "\"",
                "http://", "https://", "HTTP://", "http:", "b.org", "B.org", "xn--a.org", "1.2.3.4", "a.0x7f", "c.d.",
                "mailto:", "b.org:80", "user@", "a..b", "-.org", "_.x", "a+b,c", "...", "[", "]", "....", "*",
                "?PHPSESSID=1", "&zenid", ";sid=0a1b2c3d4e5f6a7b", "?sid=1",
            ]),
        ];
        prop::collection::vec(part, 0..8).prop_map(|parts| parts.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]
        #[test]
        fn the_fast_path_equals_the_url_crate(base in prop::sample::select(BASES.to_vec()), reference in reference()) {
            let (base, sessions) = (Url::parse(base).unwrap(), SessionParams::default());
            if let Some(short) = PlainBase::new(&base).and_then(|plain| plain.join(&reference, &sessions)) {
                let mut long = base.join(&reference).unwrap();
                long.set_fragment(None);
                prop_assert_eq!(short, long.as_str(), "{}", reference);
                prop_assert_eq!(sessions.strip(long.path(), long.query()), None, "{}", reference);
            }
        }
    }

    #[test]
    fn common_references_take_the_fast_path() {
        let base = Url::parse("https://a.org/b/c.html").unwrap();
        let (plain, sessions) = (PlainBase::new(&base).unwrap(), SessionParams::default());
        let cases = [
            ("d.html#e f", "https://a.org/b/d.html"),
            ("../x/y.html?a=b&c", "https://a.org/x/y.html?a=b&c"),
            ("/", "https://a.org/"),
            ("./", "https://a.org/b/"),
            ("../../..", "https://a.org/"),
            ("/x//y/../z", "https://a.org/x//z"),
            ("http://www.b.org", "http://www.b.org/"),
            ("https://b.org/x/./y?z", "https://b.org/x/y?z"),
            ("/forum?topic=7;post=12&view=new", "https://a.org/forum?topic=7;post=12&view=new"),
        ];
        for (reference, url) in cases {
            assert_eq!(plain.join(reference, &sessions).as_deref(), Some(url), "{reference}");
        }
        for reference in
            ["", "#a", "?a", "//b.org/", "a b", "é", "%7Ea", "http://B.org/", "mailto:a", "x:y", "a?b&sid=c"]
        {
            assert_eq!(plain.join(reference, &sessions), None, "{reference}");
        }
    }
}
