//! URLs and their parts: canonical form, SURT, hosts, registrable domains and scopes.
//!
//! Nothing here resolves a name or opens a file. Newtypes hold checked values, so that the rest of the program
//! never parses a URL again.

mod canonical;
mod domain;
mod fingerprint;
mod host;
mod path_prefix;
mod plain;
mod scope;
mod session;
mod surt;
mod typed_url;

pub use canonical::{Base, CanonicalUrl, UrlError, UrlRules};
pub use domain::{Suffixes, SuffixesError, is_ip_literal};
pub use fingerprint::{permutation_fingerprint, surt_fingerprint, url_fingerprint};
pub use host::{host_of, unicode_host, without_scheme};
pub use path_prefix::PathPrefix;
pub use scope::{Scope, ScopeError, ScopeKind};
pub use session::{DEFAULT_SESSION_MIN_LENGTH, DEFAULT_SESSION_PARAMS, SessionParamError, SessionParams};
pub use surt::{Surt, SurtError, host_prefix};
pub use typed_url::TypedUrlError;

/// Whether a link between these hosts is internal: they are equal after one leading `www.` is removed from each.
pub fn is_internal(a: &str, b: &str) -> bool {
    without_www(a) == without_www(b)
}

/// A host without one leading `www.`.
pub fn without_www(host: &str) -> &str {
    host.strip_prefix("www.").unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::is_internal;

    #[test]
    fn one_leading_www_is_ignored() {
        assert!(is_internal("example.com", "www.example.com"));
        assert!(is_internal("www.example.com", "www.example.com"));
        assert!(!is_internal("www.www.example.com", "example.com"));
        assert!(!is_internal("shop.example.com", "example.com"));
        assert!(!is_internal("wwwexample.com", "example.com"));
    }
}
