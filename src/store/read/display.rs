//! Stored keys as readable text: URLs, hosts and names instead of SURTs.
//!
//! Pure. Calls nothing that fails with a [`crate::store::StoreError`], because that error is built with this text.

use crate::model::{Day, QueueName, plain};
use crate::store::codec::keys::{split_backlink_key, split_pair_key};
use crate::store::codec::queue_entry::parse_entry_key;
use crate::store::codec::schedule_entry::parse_schedule_key;
use crate::store::db::schema::{
    BACKLINKS, CHANGES, FRONTIER, HOSTS, MET, META, OUTLINKS, PAGES, PAIRS, RANKS, REFERRALS, ROBOTS,
    SCHEDULE, SEEN, VISITS,
};
use crate::store::write::change_numbers;
use crate::store::write::change_numbers::Direction;
use crate::store::write::ranks::RankKind;
use crate::urls::Surt;

/// Maximum number of characters of the text.
const MAX_CHARS: usize = 400;
/// Maximum number of bytes shown of an unreadable key.
const MAX_ESCAPED_BYTES: usize = 100;

/// The readable form of a key of a column family.
pub(in crate::store) fn display_key(family: &str, key: &[u8]) -> String {
    match readable_key(family, key) {
        Some(text) => plain(&text, MAX_CHARS),
        None => {
            let (shown, rest) = key.split_at(key.len().min(MAX_ESCAPED_BYTES));
            let more = if rest.is_empty() { "" } else { "…" };
            format!("the unreadable key \"{}{more}\"", shown.escape_ascii())
        }
    }
}

fn readable_key(family: &str, key: &[u8]) -> Option<String> {
    match family {
        PAGES | OUTLINKS | VISITS | SEEN => url(key),
        BACKLINKS => {
            let (target, source, seq) = split_backlink_key(key).ok()?;
            let which = if seq == 0 { String::new() } else { format!(" (link {})", u64::from(seq) + 1) };
            Some(format!("{} -> {}{which}", url(source)?, url(target)?))
        }
        PAIRS => split_pair_key(key).ok().and_then(|(target, source)| hosts(source, target)),
        REFERRALS => split_pair_key(key).ok().and_then(|(source, target)| hosts(source, target)),
        FRONTIER => parse_entry_key(key).ok().and_then(|(.., surt)| url(surt)),
        SCHEDULE => {
            let (time, surt) = parse_schedule_key(key)?;
            Some(format!("{} on {}", url(surt)?, Day::from_unix_seconds(time)))
        }
        HOSTS => QueueName::from_stored(key).origin(),
        ROBOTS => text(key),
        RANKS => rank(key),
        CHANGES if key == change_numbers::LAST_CHANGE_KEY => Some("the index as a whole".to_owned()),
        CHANGES => change_numbers::split_domain_key(key).map(|(direction, domain)| match direction {
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
    let host = |part| Surt::decode_host(part).ok().filter(|host| !host.is_empty());
    Some(format!("{} -> {}", host(source)?, host(target)?))
}

fn text(key: &[u8]) -> Option<String> {
    std::str::from_utf8(key).ok().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The name after generation and kind.
fn rank(key: &[u8]) -> Option<String> {
    let ([.., kind], name) = key.split_first_chunk::<5>()?;
    match RankKind::from_code(*kind) {
        Some(RankKind::Page) => url(name),
        _ => text(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Priority;
    use crate::store::COLUMN_FAMILIES;
    use crate::store::codec::{keys, queue_entry, schedule_entry};
    use crate::store::write::ranks;
    use crate::urls::{CanonicalUrl, UrlRules, host_prefix};

    fn canonical(text: &str) -> CanonicalUrl {
        UrlRules::default().canonical(text).unwrap()
    }

    #[test]
    fn keys_are_displayed_as_urls_hosts_and_names() {
        let (a, b) = (canonical("https://www.a.test:8443/x?y=1"), canonical("http://b.test/"));
        let (surt, other) = (Surt::from(&a), Surt::from(&b));
        let (a_host, b_host) = (host_prefix("www.a.test"), host_prefix("b.test"));
        for (family, key, shown) in [
            (PAGES, surt.as_bytes().to_vec(), "https://www.a.test:8443/x?y=1"),
            (OUTLINKS, other.as_bytes().to_vec(), "http://b.test/"),
            (
                BACKLINKS,
                keys::backlink_key(&b, surt.as_bytes(), 0),
                "https://www.a.test:8443/x?y=1 -> http://b.test/",
            ),
            (
                BACKLINKS,
                keys::backlink_key(&b, surt.as_bytes(), 2),
                "https://www.a.test:8443/x?y=1 -> http://b.test/ (link 3)",
            ),
            (PAIRS, keys::pair_key(&b_host, &a_host), "www.a.test -> b.test"),
            (REFERRALS, keys::pair_key(&a_host, &b_host), "www.a.test -> b.test"),
            (FRONTIER, queue_entry::entry_key(&a, Priority::New(3)), "https://www.a.test:8443/x?y=1"),
            (
                SCHEDULE,
                schedule_entry::schedule_key(951_782_400, other.as_bytes()),
                "http://b.test/ on 20000229",
            ),
            (HOSTS, QueueName::of(&a).as_bytes().to_vec(), "https://www.a.test:8443"),
            (ROBOTS, b"http://b.test".to_vec(), "http://b.test"),
            (RANKS, ranks::rank_key(4, RankKind::Page, other.as_bytes()), "http://b.test/"),
            (RANKS, ranks::rank_key(4, RankKind::Domain, b"a.test"), "a.test"),
            (CHANGES, change_numbers::domain_key(Direction::Incoming, "a.test"), "links into a.test"),
            (CHANGES, change_numbers::domain_key(Direction::Outgoing, "a.test"), "pages of a.test"),
            (CHANGES, vec![0], "the index as a whole"),
            (MET, 7u64.to_be_bytes().to_vec(), "row 7"),
            (META, b"token-key".to_vec(), "token-key"),
        ] {
            assert_eq!(display_key(family, &key), shown, "{family}");
        }
    }

    #[test]
    fn an_unreadable_key_is_truncated_and_escaped() {
        for family in COLUMN_FAMILIES {
            for key in [&b""[..], b"\xff\x1b[2J", &[b'a'; 5_000], b"com,a,)/\x1b[2J\x01", b"\0\0\0"] {
                let shown = display_key(family, key);
                assert!(
                    shown.chars().count() <= MAX_CHARS.max(MAX_ESCAPED_BYTES * 4 + 40),
                    "{family}: {shown}"
                );
                assert!(!shown.contains(char::is_control), "{family}: {shown}");
            }
        }
        assert_eq!(display_key(PAGES, b"\xffx"), "the unreadable key \"\\xffx\"");
    }
}
