//! Scopes: the part of the web that the `url` parameter of a query selects.
//!
//! * With a path or a query, including a lone `/`, it selects that URL: under both schemes if none is given,
//!   otherwise under the given one.
//! * Without a path, a registrable domain selects the domain with all its hosts, and any other host selects that
//!   host.
//! * An explicit kind overrides this: `url` uses `/` if no path is given, `host` and `domain` drop the path, and
//!   `domain` selects the registrable domain of the host.
//! * The kind `prefix` selects the URLs of the host whose path is the given one or lies below it, under both schemes.
//!   It is a part of the host that the kind `host` selects. A query is rejected.
//!
//! A port narrows a host to that port, unless it is the default port of the scheme (of http or https, if no scheme is
//! given). A domain is always whole. User name, password and fragment are ignored. Without a scheme, the authority
//! may follow `//`; a path alone is rejected.

use super::path_prefix::PathPrefix;
use super::typed_url::{TypedUrl, TypedUrlError};
use super::{CanonicalUrl, Suffixes, Surt, UrlRules, host_prefix};

/// The scope of a query.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// One URL under one scheme, or under both; then `https_url` has the second spelling.
    Url { url: CanonicalUrl, https_url: Option<CanonicalUrl> },
    /// One host on all its ports, or on one port.
    Host { host: String, port: Option<u16> },
    /// A registrable domain with all its hosts.
    Domain { domain: String },
    /// The URLs of a host below a path, on all its ports or on one port.
    Prefix { host: String, port: Option<u16>, path: PathPrefix },
}

/// The kind of scope, if the query gives one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScopeKind {
    Url,
    Host,
    Domain,
    Prefix,
}

impl std::str::FromStr for ScopeKind {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        match text {
            "url" => Ok(Self::Url),
            "host" => Ok(Self::Host),
            "domain" => Ok(Self::Domain),
            "prefix" => Ok(Self::Prefix),
            _ => Err(ScopeError::Kind(text.to_owned())),
        }
    }
}

/// The reason why a text is not a scope.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ScopeError {
    #[error(transparent)]
    Url(#[from] TypedUrlError),
    #[error("scope \"{0}\" is unknown; use url, host, domain or prefix")]
    Kind(String),
    #[error(
        "a prefix ends with its path, but this one has a query; omit the question mark and what follows it"
    )]
    PrefixQuery,
}

impl Scope {
    /// Parses a `url` parameter.
    ///
    /// # Errors
    /// [`ScopeError`] when it is empty, or is not a URL, host or domain.
    pub fn parse(
        text: &str,
        kind: Option<ScopeKind>,
        rules: &UrlRules,
        suffixes: &Suffixes,
    ) -> Result<Self, ScopeError> {
        let typed_url = TypedUrl::read(text, rules)?;
        let host = typed_url.url.host();
        let domain = suffixes.domain_of(host);
        let kind = kind.unwrap_or(if typed_url.has_path {
            ScopeKind::Url
        } else if domain == host && typed_url.port.is_none() {
            ScopeKind::Domain
        } else {
            ScopeKind::Host
        });
        if kind == ScopeKind::Prefix && typed_url.has_query {
            return Err(ScopeError::PrefixQuery);
        }
        Ok(match kind {
            ScopeKind::Host => Self::Host { host: host.to_owned(), port: typed_url.port },
            ScopeKind::Domain => Self::Domain { domain: domain.to_owned() },
            ScopeKind::Prefix => Self::Prefix {
                host: host.to_owned(),
                port: typed_url.port,
                path: PathPrefix::new(typed_url.url.path_and_query()),
            },
            ScopeKind::Url => Self::Url { url: typed_url.url, https_url: typed_url.https_url },
        })
    }

    /// The registrable domain of the scope.
    pub fn domain<'a>(&'a self, suffixes: &Suffixes) -> &'a str {
        match self {
            Self::Domain { domain } => domain,
            Self::Url { .. } | Self::Host { .. } | Self::Prefix { .. } => suffixes.domain_of(self.host()),
        }
    }

    /// The host of the URL, the host itself, or the domain.
    pub fn host(&self) -> &str {
        match self {
            Self::Url { url, .. } => url.host(),
            Self::Host { host, .. } | Self::Prefix { host, .. } => host,
            Self::Domain { domain } => domain,
        }
    }

    /// The key prefixes of all rows of the scope, in key order. A prefix may cover more than the scope:
    /// [`Self::holds_host`] decides, and of ports [`PathPrefix::skip_from`].
    pub fn key_prefixes(&self, suffixes: &Suffixes) -> Vec<Vec<u8>> {
        match self {
            Self::Url { url, https_url } => {
                let mut keys: Vec<Vec<u8>> = std::iter::once(url)
                    .chain(https_url)
                    .map(|url| Surt::from(url).as_bytes().to_vec())
                    .collect();
                keys.sort();
                keys
            }
            Self::Host { host, port: None } => host_on_any_port(host),
            Self::Host { host, port: Some(port) } => {
                vec![[host_prefix(host), format!(":{port})").into_bytes()].concat()]
            }
            // Below a public suffix are other domains (all of `com`, for example), and none of its own hosts.
            Self::Domain { domain } if suffixes.suffix_of(domain) == domain => host_on_any_port(domain),
            Self::Domain { domain } => vec![host_prefix(domain)],
            Self::Prefix { host, port, path } => path_on_ports(host, *port, path),
        }
    }

    /// The pages at the path of a prefix, under http and https; none for other scopes.
    pub fn pages_at_path(&self) -> Vec<CanonicalUrl> {
        let Self::Prefix { host, port, path } = self else { return Vec::new() };
        let port = port.map_or_else(String::new, |port| format!(":{port}"));
        let under = |scheme| CanonicalUrl::from_stored(format!("{scheme}://{host}{port}{}", path.as_str()));
        ["http", "https"].into_iter().filter_map(under).collect()
    }

    /// Whether a host under one of the key prefixes belongs to the scope. Below a registrable domain there may be
    /// public suffixes (`s3.example.com`), whose hosts are other domains. A domain that is a public suffix has only
    /// the host of its own name.
    pub fn holds_host(&self, host: &str, suffixes: &Suffixes) -> bool {
        match self {
            Self::Domain { domain } => suffixes.domain_of(host) == domain,
            Self::Url { .. } | Self::Host { .. } | Self::Prefix { .. } => true,
        }
    }
}

fn host_on_any_port(host: &str) -> Vec<Vec<u8>> {
    [b')', b':'].into_iter().map(|end| [host_prefix(host), vec![end]].concat()).collect()
}

/// The keys on other ports than the default ones are not sorted by path, so one prefix covers all of them.
fn path_on_ports(host: &str, port: Option<u16>, path: &PathPrefix) -> Vec<Vec<u8>> {
    let end = port.map_or_else(|| ")".to_owned(), |port| format!(":{port})"));
    let authority = [host_prefix(host), end.into_bytes()].concat();
    let mut prefixes: Vec<Vec<u8>> =
        path.key_parts().iter().map(|part| [authority.as_slice(), part].concat()).collect();
    if port.is_none() {
        prefixes.push([host_prefix(host), vec![b':']].concat());
    }
    prefixes
}
