//! Whose URLs a sitemap may list.
//!
//! A sitemap proves nothing by itself, because any site may list any URL. Its location and the hosts that
//! name it decide. It may list URLs of the registrable domain that it lies on. It may also list URLs of each
//! host whose own robots.txt names it, wherever it lies (<https://www.sitemaps.org/protocol.html>, "Sitemaps
//! & Cross Submits").
//!
//! Indexes and redirects pass the grant of the hosts on to the sitemaps that they lead to. The grant of the
//! domain passes only within that domain: no owner of another domain has named the sitemap.
//!
//! The queue entry of the sitemap holds the grant. Where several robots.txt files name one sitemap, their
//! grants are merged.

/// How a sitemap was reached, and whose URLs it may list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SitemapGrant {
    /// Indexes and redirects between it and the sitemap that a robots.txt names.
    pub level: u8,
    /// Whether it may list URLs of its own registrable domain.
    pub own_domain: bool,
    /// Hosts whose URLs it may list, because their robots.txt names it or a sitemap that led to it. With the
    /// port, unless it is the scheme's default.
    pub hosts: Vec<Box<str>>,
}

impl SitemapGrant {
    /// The grant of a sitemap at this level for its own registrable domain alone.
    pub fn at_level(level: u8) -> Self {
        Self { level, own_domain: true, hosts: Vec::new() }
    }

    /// Whether this grant allows all that `other` allows.
    pub fn covers(&self, other: &Self) -> bool {
        self.level <= other.level
            && (self.own_domain || !other.own_domain)
            && other.hosts.iter().all(|host| self.hosts.contains(host))
    }

    /// Adds what `other` allows. Hosts beyond the first `most` are dropped.
    pub fn merge(&mut self, other: Self, most: usize) {
        self.level = self.level.min(other.level);
        self.own_domain |= other.own_domain;
        for host in other.hosts {
            if self.hosts.len() < most && !self.hosts.contains(&host) {
                self.hosts.push(host);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(level: u8, own_domain: bool, hosts: &[&str]) -> SitemapGrant {
        SitemapGrant { level, own_domain, hosts: hosts.iter().map(|&host| host.into()).collect() }
    }

    #[test]
    fn a_merged_grant_covers_both() {
        let (one, two) = (grant(2, true, &["a.test", "b.test"]), grant(1, false, &["b.test", "c.test"]));
        let mut merged = one.clone();
        merged.merge(two.clone(), 9);
        assert_eq!(merged, grant(1, true, &["a.test", "b.test", "c.test"]));
        assert!(merged.covers(&one) && merged.covers(&two) && merged.covers(&merged));
        assert!(!one.covers(&two) && !two.covers(&one));
        for less in
            [grant(2, true, &merged_hosts()), grant(1, false, &merged_hosts()), grant(1, true, &["a.test"])]
        {
            assert!(!less.covers(&merged) && merged.covers(&less), "{less:?}");
        }
        let mut full = one;
        full.merge(two, 2);
        assert_eq!(full, grant(1, true, &["a.test", "b.test"]));
    }

    fn merged_hosts() -> [&'static str; 3] {
        ["a.test", "b.test", "c.test"]
    }
}
