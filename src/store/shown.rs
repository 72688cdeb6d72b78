//! Stored keys as people read them: URLs, hosts and names instead of the forms that sort.
//!
//! Pure, and asks nothing that fails with a [`super::StoreError`]: that would be shown by this again.

use super::changes::{self, Direction};
use super::keys::{split_backlink, split_pair};
use super::queue::{entry_parts, scheduled_parts};
use super::ranks::RankKind;
use super::schema::{
    BACKLINKS, CHANGES, FRONTIER, HOSTS, MET, META, OUTLINKS, PAGES, PAIRS, RANKS, REFERRALS, ROBOTS,
    SCHEDULE,
};
use super::verify::SEEN;
use crate::frontier::QueueName;
use crate::model::{Day, plain};
use crate::urls::Surt;

/// Characters shown of a key.
const MOST: usize = 400;
/// Bytes shown of one that cannot be read.
const MOST_BYTES: usize = 100;

/// What a row of a column family is about.
pub(super) fn shown_key(family: &str, key: &[u8]) -> String {
    match readable(family, key) {
        Some(text) => plain(&text, MOST),
        None => {
            let (shown, rest) = key.split_at(key.len().min(MOST_BYTES));
            let more = if rest.is_empty() { "" } else { "…" };
            format!("the unreadable key \"{}{more}\"", shown.escape_ascii())
        }
    }
}

fn readable(family: &str, key: &[u8]) -> Option<String> {
    match family {
        PAGES | OUTLINKS | SEEN => url(key),
        BACKLINKS => {
            let (target, source, seq) = split_backlink(key).ok()?;
            let which = if seq == 0 { String::new() } else { format!(" (link {})", u64::from(seq) + 1) };
            Some(format!("{} -> {}{which}", url(source)?, url(target)?))
        }
        PAIRS => split_pair(key).ok().and_then(|(target, source)| hosts(source, target)),
        REFERRALS => split_pair(key).ok().and_then(|(source, target)| hosts(source, target)),
        FRONTIER => entry_parts(key).ok().and_then(|(.., surt)| url(surt)),
        SCHEDULE => {
            let (time, surt) = scheduled_parts(key)?;
            Some(format!("{} on {}", url(surt)?, Day::from_unix_seconds(time)))
        }
        HOSTS => QueueName::from_stored(key).origin(),
        ROBOTS => text(key),
        RANKS => rank(key),
        CHANGES if key == changes::ANYTHING => Some("the index as a whole".to_owned()),
        CHANGES => changes::split_key(key).map(|(direction, domain)| match direction {
            Direction::Incoming => format!("links into {domain}"),
            Direction::Outgoing => format!("pages of {domain}"),
        }),
        MET => key.try_into().ok().map(|row| format!("row {}", u64::from_be_bytes(row))),
        META => text(key),
        _ => None,
    }
}

fn url(surt: &[u8]) -> Option<String> {
    Surt::bytes_to_url(surt).ok().map(|url| url.to_string())
}

fn hosts(source: &[u8], target: &[u8]) -> Option<String> {
    let host = |part| Surt::host_of(part).ok().filter(|host| !host.is_empty());
    Some(format!("{} -> {}", host(source)?, host(target)?))
}

fn text(key: &[u8]) -> Option<String> {
    std::str::from_utf8(key).ok().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Behind generation and kind.
fn rank(key: &[u8]) -> Option<String> {
    let ([.., kind], name) = key.split_first_chunk::<5>()?;
    if *kind == RankKind::Page as u8 { url(name) } else { text(name) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frontier::Priority;
    use crate::store::{COLUMN_FAMILIES, keys, queue, ranks};
    use crate::urls::{CanonicalUrl, UrlRules, host_prefix};

    fn canonical(text: &str) -> CanonicalUrl {
        UrlRules::default().canonical(text).unwrap()
    }

    #[test]
    fn keys_are_shown_as_what_they_are_about() {
        let (a, b) = (canonical("https://www.a.test:8443/x?y=1"), canonical("http://b.test/"));
        let (surt, other) = (Surt::from(&a), Surt::from(&b));
        let (a_host, b_host) = (host_prefix("www.a.test"), host_prefix("b.test"));
        for (family, key, shown) in [
            (PAGES, surt.as_bytes().to_vec(), "https://www.a.test:8443/x?y=1"),
            (OUTLINKS, other.as_bytes().to_vec(), "http://b.test/"),
            (
                BACKLINKS,
                keys::backlink(&b, surt.as_bytes(), 0),
                "https://www.a.test:8443/x?y=1 -> http://b.test/",
            ),
            (
                BACKLINKS,
                keys::backlink(&b, surt.as_bytes(), 2),
                "https://www.a.test:8443/x?y=1 -> http://b.test/ (link 3)",
            ),
            (PAIRS, keys::pair(&b_host, &a_host), "www.a.test -> b.test"),
            (REFERRALS, keys::pair(&a_host, &b_host), "www.a.test -> b.test"),
            (FRONTIER, queue::entry_key(&a, Priority::New(3)), "https://www.a.test:8443/x?y=1"),
            (SCHEDULE, queue::schedule_key(951_782_400, other.as_bytes()), "http://b.test/ on 20000229"),
            (HOSTS, QueueName::of(&a).as_bytes().to_vec(), "https://www.a.test:8443"),
            (ROBOTS, b"http://b.test".to_vec(), "http://b.test"),
            (RANKS, ranks::key(4, RankKind::Page, other.as_bytes()), "http://b.test/"),
            (RANKS, ranks::key(4, RankKind::Domain, b"a.test"), "a.test"),
            (CHANGES, changes::key(Direction::Incoming, "a.test"), "links into a.test"),
            (CHANGES, changes::key(Direction::Outgoing, "a.test"), "pages of a.test"),
            (CHANGES, vec![0], "the index as a whole"),
            (MET, 7u64.to_be_bytes().to_vec(), "row 7"),
            (META, b"token-key".to_vec(), "token-key"),
        ] {
            assert_eq!(shown_key(family, &key), shown, "{family}");
        }
    }

    #[test]
    fn a_key_that_cannot_be_read_is_shown_in_part_and_harms_no_terminal() {
        for family in COLUMN_FAMILIES {
            for key in [&b""[..], b"\xff\x1b[2J", &[b'a'; 5_000], b"com,a,)/\x1b[2J\x01", b"\0\0\0"] {
                let shown = shown_key(family, key);
                assert!(shown.chars().count() <= MOST.max(MOST_BYTES * 4 + 40), "{family}: {shown}");
                assert!(!shown.contains(char::is_control), "{family}: {shown}");
            }
        }
        assert_eq!(shown_key(PAGES, b"\xffx"), "the unreadable key \"\\xffx\"");
    }
}
