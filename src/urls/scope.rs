//! Scopes: what part of the web a query's `url` parameter selects.
//!
//! * With a path or a query, a lone `/` included, it is that URL: under both schemes when none is given, under
//!   the one given otherwise.
//! * Without a path, a registrable domain selects the domain with all its hosts; any other host, that host.
//! * An explicit kind overrides this: `url` takes `/` where no path is given, `host` and `domain` drop the path,
//!   and `domain` goes up to the host's registrable domain.
//!
//! A port, where one is given, narrows a host to that port, unless it is the default port of the scheme (of
//! http or of https, when no scheme is given), which says nothing; a domain is always whole. User name, password
//! and fragment select nothing. Without a scheme the authority may stand behind `//`; a path alone is refused.

use super::{CanonicalUrl, Suffixes, Surt, UrlError, UrlRules, host_prefix};

/// What a query is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// One URL under one scheme, or under both: then the other spelling is in `also`.
    Url { url: CanonicalUrl, also: Option<CanonicalUrl> },
    /// One host on all its ports, or on one.
    Host { host: String, port: Option<u16> },
    /// A registrable domain with all its hosts.
    Domain { domain: String },
}

/// How a scope is to be read, when the query says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScopeKind {
    Url,
    Host,
    Domain,
}

impl std::str::FromStr for ScopeKind {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        match text {
            "url" => Ok(Self::Url),
            "host" => Ok(Self::Host),
            "domain" => Ok(Self::Domain),
            _ => Err(ScopeError::Kind(text.to_owned())),
        }
    }
}

/// Why a text selects nothing.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ScopeError {
    #[error("the URL, host or domain is empty; give one, for example example.com")]
    Empty,
    #[error("\"{0}\" names no host; give a URL, a host or a domain, for example example.com")]
    NoHost(String),
    #[error(transparent)]
    Url(#[from] UrlError),
    #[error("scope \"{0}\" is unknown; use url, host or domain")]
    Kind(String),
}

impl Scope {
    /// Reads a `url` parameter.
    ///
    /// # Errors
    /// [`ScopeError`] when it is empty or no URL, host or domain can be read from it.
    pub fn parse(
        text: &str,
        kind: Option<ScopeKind>,
        rules: &UrlRules,
        suffixes: &Suffixes,
    ) -> Result<Self, ScopeError> {
        let given = Given::read(text, rules)?;
        let host = given.url.host();
        let domain = suffixes.domain_of(host);
        let kind = kind.unwrap_or(if given.has_path {
            ScopeKind::Url
        } else if domain == host && given.port.is_none() {
            ScopeKind::Domain
        } else {
            ScopeKind::Host
        });
        Ok(match kind {
            ScopeKind::Host => Self::Host { host: host.to_owned(), port: given.port },
            ScopeKind::Domain => Self::Domain { domain: domain.to_owned() },
            ScopeKind::Url => Self::Url { url: given.url, also: given.also },
        })
    }

    /// The registrable domain that the scope lies in.
    pub fn domain<'a>(&'a self, suffixes: &Suffixes) -> &'a str {
        match self {
            Self::Domain { domain } => domain,
            Self::Url { .. } | Self::Host { .. } => suffixes.domain_of(self.host()),
        }
    }

    /// The host of the URL, the host itself, or the domain.
    pub fn host(&self) -> &str {
        match self {
            Self::Url { url, .. } => url.host(),
            Self::Host { host, .. } => host,
            Self::Domain { domain } => domain,
        }
    }

    /// The key prefixes under which everything of the scope is stored, in key order. A prefix may hold more than
    /// the scope: [`Self::holds_host`] decides.
    pub fn key_prefixes(&self, suffixes: &Suffixes) -> Vec<Vec<u8>> {
        match self {
            Self::Url { url, also } => {
                let mut keys: Vec<Vec<u8>> =
                    std::iter::once(url).chain(also).map(|url| Surt::from(url).as_bytes().to_vec()).collect();
                keys.sort();
                keys
            }
            Self::Host { host, port: None } => host_on_any_port(host),
            Self::Host { host, port: Some(port) } => {
                vec![[host_prefix(host), format!(":{port})").into_bytes()].concat()]
            }
            // Below a public suffix stand other domains, all of `com` if need be, and none of its own hosts.
            Self::Domain { domain } if suffixes.suffix_of(domain) == domain => host_on_any_port(domain),
            Self::Domain { domain } => vec![host_prefix(domain)],
        }
    }

    /// Whether a host found under one of the scope's prefixes belongs to it. Below a registrable domain there can
    /// be public suffixes of their own (`s3.example.com`), whose hosts are other domains; and a domain that is
    /// itself a public suffix has no hosts but its own name.
    pub fn holds_host(&self, host: &str, suffixes: &Suffixes) -> bool {
        match self {
            Self::Domain { domain } => suffixes.domain_of(host) == domain,
            Self::Url { .. } | Self::Host { .. } => true,
        }
    }
}

impl UrlRules {
    /// Reads a URL as people type it: without a scheme, it is read as http.
    ///
    /// # Errors
    /// [`ScopeError`] when it is empty, names no host or has no canonical form.
    pub fn typed(&self, text: &str) -> Result<CanonicalUrl, ScopeError> {
        Given::read(text, self).map(|given| given.url)
    }
}

/// What a `url` parameter says, before it is known what it selects.
struct Given {
    /// Under http when no scheme is given.
    url: CanonicalUrl,
    /// Under https, when no scheme is given.
    also: Option<CanonicalUrl>,
    /// Unless it is the default one of the scheme, or, without a scheme, of either.
    port: Option<u16>,
    /// Whether anything but a fragment follows the authority.
    has_path: bool,
}

impl Given {
    fn read(text: &str, rules: &UrlRules) -> Result<Self, ScopeError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(ScopeError::Empty);
        }
        if let Some(rest) = after_scheme(text) {
            let url = rules.canonical(text)?;
            return Ok(Self { port: url.port(), url, also: None, has_path: has_path(rest) });
        }
        let rest = text.strip_prefix("//").unwrap_or(text);
        if rest.is_empty() || rest.starts_with(ENDS_AUTHORITY) {
            return Err(ScopeError::NoHost(text.to_owned()));
        }
        let url = rules.canonical(&format!("http://{rest}"))?;
        // One byte longer: it alone can be too long.
        let also = rules.canonical(&format!("https://{rest}")).ok();
        let port = url.port().filter(|_| also.as_ref().is_none_or(|also| also.port().is_some()));
        Ok(Self { url, also, port, has_path: has_path(rest) })
    }
}

/// What ends the authority of an http URL: WHATWG reads a backslash as a slash.
const ENDS_AUTHORITY: [char; 4] = ['/', '\\', '?', '#'];

/// What follows the scheme and its slashes, when a scheme is given. `localhost:8080` is a host with a port;
/// `mailto:someone@example.com` is a URL, though none that can be selected.
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

fn host_on_any_port(host: &str) -> Vec<Vec<u8>> {
    [b')', b':'].into_iter().map(|end| [host_prefix(host), vec![end]].concat()).collect()
}
