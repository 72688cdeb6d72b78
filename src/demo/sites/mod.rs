//! The web of the demo: Saltmere, a fictional harbour town, and its sites.
//!
//! All names are reserved for examples (RFC 2606; example.edu by its registry). Every tag, rel value and directive
//! with an effect occurs, and every tag leads to the museum at least once.

mod learning;
mod press;
mod town;

use super::web::Web;

/// Saltmere.
pub(super) fn web() -> Web {
    Web {
        // No page links to the directory, so the crawl would not find it from the newspaper.
        seeds: vec!["//www.observer.example/", "//links.example/"],
        hosts: [press::hosts(), learning::hosts(), town::hosts()].concat(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::demo::expected::Expected;
    use crate::model::LinkTag;
    use crate::urls::{Suffixes, UrlRules};

    #[test]
    fn the_web_is_as_large_and_as_varied_as_promised() {
        let web = web();
        let domains: BTreeSet<_> = web.hosts.iter().map(|host| host.domain).collect();
        assert!(web.hosts.len() >= 12 && domains.len() >= 8);
        assert!(web.hosts.iter().map(|host| host.pages.len()).sum::<usize>() >= 60);
        let expected = Expected::of(&web);
        let museum: Vec<_> = expected.backlinks(|to| to.host.domain == "museum.example").collect();
        for tag in LinkTag::ALL {
            assert!(museum.iter().any(|backlink| backlink.link.given.tag == tag), "{tag}");
        }
        for word in ["nofollow", "ugc", "sponsored"] {
            assert!(museum.iter().any(|backlink| backlink.link.given.has_rel(word)), "{word}");
        }
        assert!(expected.pages.values().any(|page| page.status == 404));
        assert!(!expected.refused.is_empty());
    }

    #[test]
    fn names_are_canonical_and_every_target_is_on_a_described_host() {
        let (web, suffixes) = (web(), Suffixes::built_in().unwrap());
        let rules = UrlRules::default();
        for host in &web.hosts {
            assert_eq!(suffixes.domain_of(host.name), host.domain);
            assert!(rules.canonical(&format!("http://{}/", host.shown)).unwrap().host() == host.name);
            for page in &host.pages {
                let targets = page.links.iter().map(|link| link.to).chain(page.canonical).chain([page.path]);
                for to in targets {
                    let url = rules.canonical(&host.absolute(to)).unwrap();
                    assert_eq!(url.as_str(), host.absolute(to));
                    assert!(web.host(url.host()).is_some(), "{url}");
                }
                assert_eq!(
                    host.pages.iter().filter(|other| other.path == page.path).count(),
                    1,
                    "{}",
                    page.path
                );
            }
        }
    }
}
