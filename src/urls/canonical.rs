//! The canonical form of a URL: the one spelling under which a page is stored and counted.
//!
//! It is the serialisation of the WHATWG URL Standard (<https://url.spec.whatwg.org>), as implemented by the `url`
//! crate: lower-case scheme and host, punycode, no default port, dot segments resolved, percent-encoding where
//! required. Further changes are limited to those that cannot change the response of a server:
//!
//! * the fragment is dropped: it is never sent;
//! * user name and password are dropped: a crawler has none;
//! * one trailing dot of the host is dropped: it names the same host;
//! * session ids are dropped from paths and queries (`urls.session_params`, see [`super::session`]);
//! * query parameters named in `urls.drop_query_params` are dropped (none by default).
//!
//! Rejected are schemes other than http and https; hosts with characters outside `a-z 0-9 - _ .` or with empty
//! labels, which no resolver accepts and a SURT cannot hold; hosts over 253 bytes and labels over 63 (RFC
//! 1035); URLs over `urls.max_length` bytes. Nothing else is rewritten, since servers may distinguish it: the case of
//! percent escapes, `index.html`, double slashes, an empty query, the order of parameters. `tests/data/urls` compares
//! this form with four other normalisers and explains each difference.

use std::borrow::Cow;
use std::fmt;

use url::Url;

use super::host::{authority_of, host_of, is_resolvable, without_scheme};
use super::plain::PlainBase;
use super::session::SessionParams;

/// An http(s) URL in canonical form.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CanonicalUrl(Box<str>);

/// The reason why a text has no canonical URL.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum UrlError {
    #[error("\"{0}\" is not a URL: {1}")]
    Unparsable(String, url::ParseError),
    #[error("\"{0}\" is not an http or https URL")]
    Scheme(String),
    #[error("\"{0}\" has a host name that no resolver accepts")]
    Host(String),
    #[error("the URL is {length} bytes long, longer than the {limit} that urls.max_length allows")]
    TooLong { length: usize, limit: usize },
}

/// The configurable part of canonicalisation.
#[derive(Clone, Debug)]
pub struct UrlRules {
    /// Maximum length of a canonical URL, in bytes.
    pub max_length: usize,
    /// Names of query parameters to drop; a final `*` matches any rest.
    pub drop_query_params: Vec<String>,
    /// The parameters that count as session ids.
    pub session_params: SessionParams,
}

impl Default for UrlRules {
    fn default() -> Self {
        Self { max_length: 8_000, drop_query_params: Vec::new(), session_params: SessionParams::default() }
    }
}

impl UrlRules {
    /// Parses an absolute URL.
    ///
    /// # Errors
    /// [`UrlError`] when the text has no canonical form under these rules.
    pub fn canonical(&self, text: &str) -> Result<CanonicalUrl, UrlError> {
        self.check_input(text)?;
        let url = Url::parse(text).map_err(|error| UrlError::Unparsable(shorten(text), error))?;
        self.finish(url)
    }

    /// Turns the URL of a document (or its `base href`) into a base for references.
    pub fn base(&self, url: &CanonicalUrl) -> Option<Base> {
        Url::parse(url.as_str()).ok().map(Base::new)
    }

    /// Resolves a reference in a document.
    ///
    /// # Errors
    /// [`UrlError`] when the target has no canonical form under these rules.
    pub fn resolve(&self, base: &Base, reference: &str) -> Result<CanonicalUrl, UrlError> {
        self.check_input(reference)?;
        if let Some(url) = self.join_plain(base, reference) {
            return Ok(url);
        }
        let url = base.join(reference).map_err(|error| UrlError::Unparsable(shorten(reference), error))?;
        self.finish(url)
    }

    /// As [`Self::resolve`], but keeps session ids and the parameters of `urls.drop_query_params`: the URL that a
    /// server asks for. The response is stored under the [`Self::canonical`] of that URL.
    ///
    /// # Errors
    /// As [`Self::resolve`].
    pub fn resolve_verbatim(&self, base: &Base, reference: &str) -> Result<CanonicalUrl, UrlError> {
        self.check_input(reference)?;
        let url = base.join(reference).map_err(|error| UrlError::Unparsable(shorten(reference), error))?;
        self.within_limit(without_unsent_parts(url)?)
    }

    /// As [`Self::resolve`], with the query encoded by `encode` (the legacy encoding of the document).
    ///
    /// # Errors
    /// As [`Self::resolve`].
    pub fn resolve_encoded(
        &self,
        base: &Base,
        reference: &str,
        encode: &dyn Fn(&str) -> Cow<'_, [u8]>,
    ) -> Result<CanonicalUrl, UrlError> {
        self.check_input(reference)?;
        let url = base
            .join_encoded(reference, encode)
            .map_err(|error| UrlError::Unparsable(shorten(reference), error))?;
        self.finish(url)
    }

    /// The fast path, for plain references.
    fn join_plain(&self, base: &Base, reference: &str) -> Option<CanonicalUrl> {
        let plain = base.plain.as_ref().filter(|_| self.drop_query_params.is_empty())?;
        let url = plain.join(reference, &self.session_params)?;
        (url.len() <= self.max_length).then(|| CanonicalUrl(url.into_boxed_str()))
    }

    /// Rejects a reference far beyond the limit before parsing it. No escape makes a URL shorter; dots and blanks may
    /// take three further limits.
    fn check_input(&self, text: &str) -> Result<(), UrlError> {
        if text.len() > self.max_length.saturating_mul(4) {
            return Err(UrlError::TooLong { length: text.len(), limit: self.max_length });
        }
        Ok(())
    }

    fn finish(&self, url: Url) -> Result<CanonicalUrl, UrlError> {
        let mut url = without_unsent_parts(url)?;
        if let Some((path, query)) = self.session_params.strip(url.path(), url.query()) {
            url.set_path(&path);
            url.set_query(query.as_deref());
        }
        if !self.drop_query_params.is_empty() {
            self.drop_params(&mut url);
        }
        self.within_limit(url)
    }

    fn within_limit(&self, url: Url) -> Result<CanonicalUrl, UrlError> {
        let text = String::from(url);
        if text.len() > self.max_length {
            return Err(UrlError::TooLong { length: text.len(), limit: self.max_length });
        }
        Ok(CanonicalUrl(text.into_boxed_str()))
    }

    fn drop_params(&self, url: &mut Url) {
        let Some(query) = url.query() else { return };
        let kept: Vec<&str> =
            query.split('&').filter(|pair| !self.drops(pair.split('=').next().unwrap_or_default())).collect();
        if kept.len() == query.split('&').count() {
            return;
        }
        let joined = kept.join("&");
        url.set_query(if kept.is_empty() { None } else { Some(&joined) });
    }

    fn drops(&self, name: &str) -> bool {
        self.drop_query_params.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == pattern,
        })
    }
}

/// An http(s) URL with a resolvable host, without the parts that are never sent.
fn without_unsent_parts(mut url: Url) -> Result<Url, UrlError> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(UrlError::Scheme(shorten(url.as_str())));
    }
    let host_error = |url: &Url| UrlError::Host(shorten(url.as_str()));
    let host = url.host_str().unwrap_or_default();
    // Checked before the host is set, because setting it parses it again.
    let stripped = host.strip_suffix('.');
    if !is_resolvable(stripped.unwrap_or(host)) {
        return Err(host_error(&url));
    }
    if let Some(stripped) = stripped.map(str::to_owned) {
        url.set_host(Some(&stripped)).map_err(|_| host_error(&url))?;
    }
    if url.fragment().is_some() {
        url.set_fragment(None);
    }
    // The URL Standard escapes this character in paths since 2024; the `url` crate does not yet.
    if url.path().contains('^') {
        let path = url.path().replace('^', "%5E");
        url.set_path(&path);
    }
    if !url.username().is_empty() || url.password().is_some() {
        // Both fail only for URLs without a host, which were rejected above.
        let _ = url.set_username("");
        let _ = url.set_password(None);
    }
    Ok(url)
}

/// A base for references, parsed once per document.
#[derive(Clone, Debug)]
pub struct Base {
    url: Url,
    /// For plain references, if the base is of the usual kind.
    plain: Option<PlainBase>,
}

impl Base {
    fn new(url: Url) -> Self {
        Self { plain: PlainBase::new(&url), url }
    }

    /// The base after a `base href` of the document. This one stays if the reference is not a URL, or if the HTML
    /// Standard ignores it (`data:`, `javascript:`).
    #[must_use]
    pub fn with_href(self, href: &str) -> Self {
        match self.join(href) {
            Ok(url) if !matches!(url.scheme(), "data" | "javascript") => Self::new(url),
            _ => self,
        }
    }

    fn join(&self, reference: &str) -> Result<Url, url::ParseError> {
        self.url.join(&self.without_extra_slashes(reference))
    }

    /// As browsers do for documents in legacy encodings: `encode` encodes the query string, and only that.
    fn join_encoded(
        &self,
        reference: &str,
        encode: &dyn Fn(&str) -> Cow<'_, [u8]>,
    ) -> Result<Url, url::ParseError> {
        Url::options()
            .base_url(Some(&self.url))
            .encoding_override(Some(encode))
            .parse(&self.without_extra_slashes(reference))
    }

    /// Under an http or https base, the URL Standard reads any number of slashes before a host as two ("special
    /// authority ignore slashes state"). Tabs and line breaks may be between them. The `url` crate requires two.
    fn without_extra_slashes<'a>(&self, reference: &'a str) -> Cow<'a, str> {
        let start = reference.trim_start_matches(|c: char| c <= ' ');
        if !start.starts_with(['/', '\\']) || !matches!(self.url.scheme(), "http" | "https") {
            return Cow::Borrowed(reference);
        }
        let rest = start.trim_start_matches(['/', '\\', '\t', '\n', '\r']);
        let slashes = start[..start.len() - rest.len()].bytes().filter(|b| matches!(b, b'/' | b'\\')).count();
        if slashes > 2 { Cow::Owned(format!("//{rest}")) } else { Cow::Borrowed(reference) }
    }
}

impl CanonicalUrl {
    /// Restores a URL that this program wrote in canonical form. Checks only what the accessors rely on.
    pub(crate) fn from_stored(text: String) -> Option<Self> {
        let after = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"))?;
        let slash = after.find('/')?;
        (slash > 0).then(|| Self(text.into_boxed_str()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_https(&self) -> bool {
        self.0.as_bytes().get(4) == Some(&b's')
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        if self.is_https() { "https" } else { "http" }
    }

    /// Scheme, host and port: `https://example.com:8443`.
    pub fn origin(&self) -> &str {
        &self.0[..self.0.len() - self.path_and_query().len()]
    }

    /// The host, and the port if it is not the default of the scheme: `example.com:8080`.
    pub fn authority(&self) -> &str {
        authority_of(self.without_scheme())
    }

    /// The host without the port. An IPv6 address keeps its brackets.
    pub fn host(&self) -> &str {
        host_of(&self.0)
    }

    /// The port, if it is not the default of the scheme.
    pub fn port(&self) -> Option<u16> {
        self.authority().get(self.host().len() + 1..).and_then(|port| port.parse().ok())
    }

    /// Path and query, from the first `/` on.
    pub fn path_and_query(&self) -> &str {
        let rest = self.without_scheme();
        &rest[authority_of(rest).len()..]
    }

    /// The URL without its scheme.
    pub fn without_scheme(&self) -> &str {
        without_scheme(&self.0)
    }
}

impl fmt::Display for CanonicalUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for CanonicalUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// A text cut to the length of a message.
fn shorten(text: &str) -> String {
    const MOST: usize = 200;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
