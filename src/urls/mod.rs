//! URLs and the names in them: one canonical form, one sortable form, hosts, registrable domains, scopes.
//!
//! Pure; nothing here resolves a name or opens a file. Newtypes hold what has been checked once, so that
//! the rest of the program never parses a URL again.

mod canonical;
mod domain;
mod plain;
mod scope;
mod session;
mod surt;

pub use canonical::{Base, CanonicalUrl, UrlError, UrlRules, host_of, unicode_host, without_scheme};
pub use domain::{Suffixes, SuffixesError, is_ip_literal};
pub use scope::{Scope, ScopeError, ScopeKind};
pub use session::{DEFAULT_SESSION_MIN_LENGTH, DEFAULT_SESSION_PARAMS, SessionParamError, SessionParams};
pub use surt::{Surt, SurtError, host_prefix};

/// Whether a link between these two hosts stays on one site: equal after one leading `www.` is taken off each.
pub fn same_site(a: &str, b: &str) -> bool {
    strip_www(a) == strip_www(b)
}

fn strip_www(host: &str) -> &str {
    host.strip_prefix("www.").unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::same_site;

    #[test]
    fn one_leading_www_makes_no_other_site() {
        assert!(same_site("example.com", "www.example.com"));
        assert!(same_site("www.example.com", "www.example.com"));
        assert!(!same_site("www.www.example.com", "example.com"));
        assert!(!same_site("shop.example.com", "example.com"));
        assert!(!same_site("wwwexample.com", "example.com"));
    }
}
