//! Scopes: what part of the web a query's `url` parameter selects.
//!
//! * With a path or a query, a lone `/` included, it is that URL: under both schemes when none is given, under
//!   the one given otherwise.
//! * Without a path, a registrable domain selects the domain with all its hosts; any other host, that host.
//! * An explicit kind overrides this: `url` takes `/` where no path is given, `host` and `domain` drop the path,
//!   and `domain` goes up to the host's registrable domain.
//!
//! A port, where one is given, narrows a host to that port; a domain is always whole.

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
        let text = text.trim();
        if text.is_empty() {
            return Err(ScopeError::Empty);
        }
        let (with_scheme, has_scheme) = match text.split_once("://") {
            Some((scheme, _)) if is_scheme(scheme) => (text.to_owned(), true),
            _ => (format!("http://{}", text.trim_start_matches('/')), false),
        };
        let url = rules.canonical(&with_scheme)?;
        let kind = kind.unwrap_or_else(|| {
            if has_path(&with_scheme) {
                ScopeKind::Url
            } else if suffixes.domain_of(url.host()) == url.host() && url.port().is_none() {
                ScopeKind::Domain
            } else {
                ScopeKind::Host
            }
        });
        Ok(match kind {
            ScopeKind::Url => {
                Self::Url { also: if has_scheme { None } else { other_scheme(&url, rules) }, url }
            }
            ScopeKind::Host => Self::Host { host: url.host().to_owned(), port: url.port() },
            ScopeKind::Domain => Self::Domain { domain: suffixes.domain_of(url.host()).to_owned() },
        })
    }

    /// The registrable domain that the scope lies in.
    pub fn domain<'a>(&'a self, suffixes: &Suffixes) -> &'a str {
        match self {
            Self::Url { url, .. } => suffixes.domain_of(url.host()),
            Self::Host { host, .. } => suffixes.domain_of(host),
            Self::Domain { domain } => domain,
        }
    }

    /// The key prefixes under which everything of the scope is stored, in key order. A prefix may hold more than
    /// the scope: [`Self::holds_host`] decides.
    pub fn key_prefixes(&self) -> Vec<Vec<u8>> {
        match self {
            Self::Url { url, also } => {
                let mut keys: Vec<Vec<u8>> =
                    std::iter::once(url).chain(also).map(|url| Surt::from(url).as_bytes().to_vec()).collect();
                keys.sort();
                keys
            }
            Self::Host { host, port: None } => {
                [b')', b':'].into_iter().map(|end| [host_prefix(host), vec![end]].concat()).collect()
            }
            Self::Host { host, port: Some(port) } => {
                vec![[host_prefix(host), format!(":{port})").into_bytes()].concat()]
            }
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

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

/// Whether anything but a fragment follows the authority of `scheme://authority…`.
fn has_path(text: &str) -> bool {
    let authority = text.find("://").map_or(text, |at| &text[at + 3..]);
    authority.find(['/', '\\', '?', '#']).is_some_and(|at| !authority[at..].starts_with('#'))
}

fn other_scheme(url: &CanonicalUrl, rules: &UrlRules) -> Option<CanonicalUrl> {
    rules.canonical(&format!("https{}", url.as_str().strip_prefix("http")?)).ok()
}
