//! URLs as users type them: with or without a scheme, or as a bare host.

use super::{CanonicalUrl, UrlError, UrlRules};

/// The reason why a typed text is not a URL, host or domain.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TypedUrlError {
    #[error("the URL, host or domain is empty; give one, for example example.com")]
    Empty,
    #[error("\"{0}\" names no host; give a URL, a host or a domain, for example example.com")]
    NoHost(String),
    #[error(transparent)]
    Url(#[from] UrlError),
}

impl UrlRules {
    /// Parses a URL as typed by a user: without a scheme, it is http.
    ///
    /// # Errors
    /// [`TypedUrlError`] when it is empty, names no host or has no canonical form.
    pub fn parse_typed(&self, text: &str) -> Result<CanonicalUrl, TypedUrlError> {
        TypedUrl::read(text, self).map(|typed_url| typed_url.url)
    }
}

/// A URL, host or domain as a user typed it.
pub(super) struct TypedUrl {
    /// Under http if no scheme is given.
    pub url: CanonicalUrl,
    /// Under https, if no scheme is given.
    pub https_url: Option<CanonicalUrl>,
    /// Unless it is the default port of the scheme, or of either scheme if none is given.
    pub port: Option<u16>,
    /// Whether more than a fragment follows the authority.
    pub has_path: bool,
    /// Whether a question mark is before the fragment.
    pub has_query: bool,
}

impl TypedUrl {
    pub(super) fn read(text: &str, rules: &UrlRules) -> Result<Self, TypedUrlError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(TypedUrlError::Empty);
        }
        if let Some(rest) = after_scheme(text) {
            let url = rules.canonical(text)?;
            let (has_path, has_query) = (has_path(rest), has_query(rest));
            return Ok(Self { port: url.port(), url, https_url: None, has_path, has_query });
        }
        let rest = text.strip_prefix("//").unwrap_or(text);
        if rest.is_empty() || rest.starts_with(ENDS_AUTHORITY) {
            return Err(TypedUrlError::NoHost(text.to_owned()));
        }
        let url = rules.canonical(&format!("http://{rest}"))?;
        // The URL is one byte longer than the http one, so it alone may be too long.
        let https_url = rules.canonical(&format!("https://{rest}")).ok();
        let port =
            url.port().filter(|_| https_url.as_ref().is_none_or(|https_url| https_url.port().is_some()));
        Ok(Self { url, https_url, port, has_path: has_path(rest), has_query: has_query(rest) })
    }
}

/// The characters that end the authority of an http URL: WHATWG reads a backslash as a slash.
const ENDS_AUTHORITY: [char; 4] = ['/', '\\', '?', '#'];

/// The text after a scheme and its slashes, if there is a scheme. `localhost:8080` is a host with a port;
/// `mailto:someone@example.com` is a URL, which cannot be selected.
fn after_scheme(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once(':')?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    let is_http = ["http", "https"].iter().any(|http| scheme.eq_ignore_ascii_case(http));
    let after_port = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_port =
        (after_port.is_empty() || after_port.starts_with(ENDS_AUTHORITY)) && !rest.starts_with("//");
    (is_http || is_scheme && !is_port).then(|| rest.trim_start_matches(['/', '\\']))
}

fn has_path(after_slashes: &str) -> bool {
    after_slashes.find(ENDS_AUTHORITY).is_some_and(|at| !after_slashes[at..].starts_with('#'))
}

fn has_query(after_slashes: &str) -> bool {
    after_slashes.find(['?', '#']).is_some_and(|at| after_slashes[at..].starts_with('?'))
}
