//! The cookies of one redirect chain (RFC 6265).
//!
//! Some sites set a cookie in a redirect, and show the page only to visitors who send it back. The crawler reads them
//! as browsers do. A jar lives as long as its chain: no cookie outlives the visit of a page, and none is sent
//! anywhere else.

use http::header::{self, HeaderMap, HeaderValue};

use crate::urls::CanonicalUrl;

/// Maximum size of the names and values in a jar, in bytes; RFC 6265, 6.1 asks for 4,096 per cookie.
const MAX_BYTES: usize = 8 << 10;

/// Cookies by name, for the URLs of one host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CookieJar {
    cookies: Vec<Cookie>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Cookie {
    name: String,
    value: String,
    /// Lower case. Hosts below it match too, unless `host_only` is set.
    domain: String,
    host_only: bool,
    path: String,
    secure: bool,
}

impl CookieJar {
    /// Adds the cookies in the `Set-Cookie` fields of a response. Returns whether one of them can be sent back.
    pub fn take_in(&mut self, url: &CanonicalUrl, headers: &HeaderMap) -> bool {
        let fields = headers.get_all(header::SET_COOKIE).iter();
        let parsed = fields.filter_map(|field| std::str::from_utf8(field.as_bytes()).ok()).filter_map(parse);
        let mut any = false;
        for (parsed, is_expired) in parsed {
            let Some(cookie) = parsed.for_host(url) else { continue };
            self.cookies.retain(|other| {
                (&other.name, &other.domain, &other.path) != (&cookie.name, &cookie.domain, &cookie.path)
            });
            let bytes: usize = self.cookies.iter().map(Cookie::bytes).sum();
            if !is_expired && bytes + cookie.bytes() <= MAX_BYTES {
                self.cookies.push(cookie);
                any = true;
            }
        }
        any
    }

    /// The `Cookie` field for a request; `None` when no cookie matches the URL.
    pub fn header(&self, url: &CanonicalUrl) -> Option<HeaderValue> {
        let mut sent: Vec<&Cookie> = self.cookies.iter().filter(|cookie| cookie.is_for(url)).collect();
        // Longer paths come first (RFC 6265, 5.4).
        sent.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let pairs: Vec<String> =
            sent.iter().map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        let value = HeaderValue::try_from(pairs.join("; ")).ok()?;
        (!value.is_empty()).then_some(value)
    }
}

impl Cookie {
    fn bytes(&self) -> usize {
        self.name.len() + self.value.len()
    }

    /// The cookie with the defaults of the URL that set it; `None` when that URL may not set it.
    fn for_host(mut self, url: &CanonicalUrl) -> Option<Self> {
        if self.domain.is_empty() {
            (self.domain, self.host_only) = (url.host().to_owned(), true);
        }
        if self.path.is_empty() {
            let path = path_of(url);
            let end = path.rfind('/').filter(|&end| end > 0).unwrap_or(1);
            path[..end].clone_into(&mut self.path);
        }
        let may_be_set = self.matches_domain(url.host()) && (!self.secure || url.is_https());
        may_be_set.then_some(self)
    }

    fn is_for(&self, url: &CanonicalUrl) -> bool {
        let rest = path_of(url).strip_prefix(self.path.as_str());
        let matches_path =
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || self.path.ends_with('/'));
        matches_path && self.matches_domain(url.host()) && (!self.secure || url.is_https())
    }

    fn matches_domain(&self, host: &str) -> bool {
        let below = || host.strip_suffix(self.domain.as_str()).is_some_and(|rest| rest.ends_with('.'));
        host == self.domain || (!self.host_only && below())
    }
}

fn path_of(url: &CanonicalUrl) -> &str {
    url.path_and_query().split('?').next().unwrap_or("/")
}

/// The cookie in a header field, and whether the field deletes it (RFC 6265, 5.2).
fn parse(field: &str) -> Option<(Cookie, bool)> {
    let mut parts = field.split(';');
    let (name, value) = parts.next()?.split_once('=')?;
    let (name, value) = (name.trim().to_owned(), value.trim().to_owned());
    let (domain, path) = (String::new(), String::new());
    let mut cookie = Cookie { name, value, domain, host_only: false, path, secure: false };
    let mut is_expired = false;
    for part in parts {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        let value = value.trim();
        match key.trim().to_ascii_lowercase().as_str() {
            "domain" => cookie.domain = value.trim_start_matches('.').to_ascii_lowercase(),
            "path" if value.starts_with('/') => value.clone_into(&mut cookie.path),
            "secure" => cookie.secure = true,
            "max-age" => is_expired = value.parse::<i64>().is_ok_and(|seconds| seconds <= 0),
            "expires" if value.contains(" 1970") || value.contains("-1970") => is_expired = true,
            _ => {}
        }
    }
    (!cookie.name.is_empty()).then_some((cookie, is_expired))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::urls::UrlRules;

    fn url(text: &str) -> CanonicalUrl {
        UrlRules::default().canonical(text).unwrap()
    }

    fn jar(at: &str, fields: &[&str]) -> CookieJar {
        let fields = fields.iter().map(|field| (header::SET_COOKIE, HeaderValue::from_str(field).unwrap()));
        let mut jar = CookieJar::default();
        jar.take_in(&url(at), &fields.collect());
        jar
    }

    #[test]
    fn cookies_are_sent_to_matching_urls() {
        for (at, field, to, sent) in [
            ("http://a.test/x/y", "s=1", "http://a.test/x/z?q", Some("s=1")),
            ("http://a.test/x/y", "s=1", "http://a.test/xx", None),
            ("http://a.test/x/y", "s=1", "http://a.test/", None),
            ("http://a.test/x/y", "s=1; Path=/", "http://a.test/", Some("s=1")),
            ("http://a.test/", "s=1; path=/q/", "http://a.test/q/r", Some("s=1")),
            ("http://a.test/", "s=a=b ; HttpOnly; SameSite=Lax", "http://a.test/", Some("s=a=b")),
            ("http://w.a.test/", "s=1; Domain=.a.test", "http://v.a.test/", Some("s=1")),
            ("http://w.a.test/", "s=1", "http://v.w.a.test/", None),
            ("http://w.a.test/", "s=1; domain=b.test", "http://b.test/", None),
            ("http://a.test/", "s=1; Secure", "https://a.test/", None),
            ("https://a.test/", "s=1; Secure", "https://a.test/", Some("s=1")),
            ("https://a.test/", "s=1; Secure", "http://a.test/", None),
            ("http://a.test/", "s=1; Max-Age=0", "http://a.test/", None),
            ("http://a.test/", "s=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "http://a.test/", None),
            ("http://a.test/", "nothing", "http://a.test/", None),
        ] {
            let header = jar(at, &[field]).header(&url(to));
            assert_eq!(header.as_ref().map(|value| value.to_str().unwrap()), sent, "{at} {field} {to}");
        }
    }

    #[test]
    fn a_later_cookie_replaces_an_earlier_one_and_the_jar_is_bounded() {
        let both = jar("http://a.test/", &["s=1", "t=2; path=/p", "s=3"]);
        assert_eq!(both.header(&url("http://a.test/p")).unwrap(), "t=2; s=3");
        let none = jar("http://a.test/", &["s=1", "s=; max-age=-1"]);
        assert_eq!(none.header(&url("http://a.test/")), None);
        let large = "x".repeat(MAX_BYTES);
        assert_eq!(jar("http://a.test/", &[&format!("s={large}")]), CookieJar::default());
    }
}
