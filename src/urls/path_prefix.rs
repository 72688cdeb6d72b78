//! Path prefixes: a path, and everything below it.
//!
//! `/blog` holds `/blog`, `/blog/…` and `/blog?…`, but not `/blogger`: a prefix ends at the end of a segment. A path
//! that ends with a slash holds all paths that begin with it.
//!
//! The keys of one authority are not all below the prefix, and those that are form a few ranges. In key order they
//! begin with the path and the scheme byte of http, that of https, `/` and `?`.

use memchr::memchr;

use super::surt::{HTTP, HTTPS};

/// A path that is the beginning of others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PathPrefix(String);

/// The bytes after the path in the keys below it, in their order.
const ENDS: [u8; 4] = [HTTP, HTTPS, b'/', b'?'];

impl PathPrefix {
    /// A prefix of this canonical path without a query.
    pub(super) fn new(path: &str) -> Self {
        Self(path.to_owned())
    }

    /// The path itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a canonical path with its query is the path or lies below it.
    pub fn holds(&self, path_and_query: &str) -> bool {
        path_and_query
            .strip_prefix(self.as_str())
            .is_some_and(|rest| rest.is_empty() || self.0.ends_with('/') || rest.starts_with(['/', '?']))
    }

    /// The beginnings of all keys below the path, after the authority, in key order.
    pub(super) fn key_parts(&self) -> Vec<Vec<u8>> {
        if self.0.ends_with('/') {
            return vec![self.0.clone().into_bytes()];
        }
        ENDS.iter().map(|&end| [self.0.as_bytes(), &[end]].concat()).collect()
    }

    /// The least key after `key` that can be below the path; `None` if `key` is below it. The key begins with a
    /// SURT.
    pub fn skip_from(&self, key: &[u8]) -> Option<Vec<u8>> {
        let end = memchr(b')', key).map_or(key.len(), |parenthesis| parenthesis + 1);
        let (authority, path) = key.split_at(end);
        let parts = self.key_parts();
        if parts.iter().any(|part| path.starts_with(part)) {
            return None;
        }
        match parts.iter().find(|part| part.as_slice() > path) {
            Some(next) => Some([authority, next].concat()),
            // No key continues after a byte of 0xff, because URLs are ASCII.
            None => Some([authority, &[0xff]].concat()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::urls::{Surt, UrlRules};

    const PATHS: [&str; 14] = [
        "/",
        "/a",
        "/blo",
        "/blog",
        "/blog-x",
        "/blog/",
        "/blog/a",
        "/blog/a/b?c",
        "/blog?",
        "/blog?a=/b",
        "/blogger",
        "/blog%20",
        "/blog.html",
        "/z?/blog",
    ];

    fn held(prefix: &str) -> Vec<&'static str> {
        PATHS.into_iter().filter(|path| PathPrefix::new(prefix).holds(path)).collect()
    }

    #[test]
    fn a_prefix_ends_at_the_end_of_a_segment() {
        assert_eq!(held("/blog"), ["/blog", "/blog/", "/blog/a", "/blog/a/b?c", "/blog?", "/blog?a=/b"]);
        assert_eq!(held("/blog/"), ["/blog/", "/blog/a", "/blog/a/b?c"]);
        assert_eq!(held("/blog/a"), ["/blog/a", "/blog/a/b?c"]);
        assert_eq!(held("/"), PATHS);
        assert!(held("/none").is_empty());
    }

    /// Seeking from key to key visits exactly the keys below the path.
    #[test]
    fn skipped_keys_are_those_outside() {
        let mut keys = Vec::new();
        for origin in ["http://a.test", "https://a.test", "http://a.test:8080", "https://a.test:81"] {
            let urls =
                PATHS.iter().map(|path| UrlRules::default().canonical(&format!("{origin}{path}")).unwrap());
            keys.extend(urls.map(|url| (Surt::from(&url).as_bytes().to_vec(), url)));
        }
        keys.sort();
        for prefix in ["/blog", "/blog/", "/blog/a", "/", "/none", "/z", "/a"] {
            let prefix = PathPrefix::new(prefix);
            let (mut at, mut visited, mut seeks) = (0, Vec::new(), 0);
            while let Some((key, url)) = keys.get(at) {
                match prefix.skip_from(key) {
                    None => {
                        visited.push(url.as_str());
                        at += 1;
                    }
                    Some(next) => {
                        assert!(&next > key);
                        seeks += 1;
                        at = keys.partition_point(|(key, _)| *key < next);
                    }
                }
            }
            let below = keys.iter().map(|(_, url)| url).filter(|url| prefix.holds(url.path_and_query()));
            assert_eq!(visited, below.map(|url| url.as_str()).collect::<Vec<_>>(), "{prefix:?}");
            assert!(seeks <= 16, "{prefix:?}: {seeks} seeks");
        }
    }
}
