//! Every registrable domain with pages, and every one with backlinks, has the number of a commit, which is none that
//! is still to come; and so has the index as a whole. A number that a domain keeps of which nothing is left does no
//! harm, and tells whoever kept an answer about it that the answer is out of date.

use rocksdb::{DB, DBRawIteratorWithThreadMode};
use rustc_hash::FxHashSet;

use super::super::StoreError;
use super::super::changes::{self, Direction};
use super::super::keys::after_prefix;
use super::super::schema::{BACKLINKS, CHANGES, PAGES};
use super::ledger::key_hash;
use super::pages::url_of;
use super::{Check, Work};
use crate::urls::{CanonicalUrl, Surt};

pub(super) struct ChangeNumbers;

impl Check for ChangeNumbers {
    fn settle(&mut self, work: &mut Work<'_>) -> Result<(), StoreError> {
        numbers_are_of_the_past(work)?;
        work.begin("looking for domains without a number");
        domains_have_numbers(work, PAGES, Direction::Outgoing)?;
        domains_have_numbers(work, BACKLINKS, Direction::Incoming)
    }
}

fn numbers_are_of_the_past(work: &mut Work<'_>) -> Result<(), StoreError> {
    last_number_is_told(work)?;
    let last = work.last_change;
    work.each_row(CHANGES, "reading numbers of changes", &mut |work, key, value| {
        let Some((direction, domain)) = changes::split_key(key) else {
            return if key == changes::ANYTHING { Ok(()) } else { work.unreadable(CHANGES, key, "the key") };
        };
        let number = changes::decode(key, Some(value)).unwrap_or_default();
        if (1..=last).contains(&number) {
            return Ok(());
        }
        // Whether it is this number that is wrong or the last of all, nobody can tell.
        work.mender.count_beyond(number);
        work.report.add(CHANGES, "numbers of no commit", key);
        renew(work, direction, &domain)
    })
}

/// The number of the last commit of all is what the store goes by; where it cannot be read, the store goes by another.
fn last_number_is_told(work: &mut Work<'_>) -> Result<(), StoreError> {
    let stored = work.snapshot.get(CHANGES, changes::ANYTHING)?;
    let what = match stored.as_deref() {
        None => "rows that are missing",
        Some(_) => "rows that cannot be read",
    };
    if changes::decode(changes::ANYTHING, stored.as_deref()).is_ok_and(|number| number == work.last_change) {
        return Ok(());
    }
    work.report.add(CHANGES, what, changes::ANYTHING);
    // Whatever is repaired is numbered; here, that is all there is to repair.
    work.mender.put(CHANGES, changes::ANYTHING, &[])
}

/// Has the domain take the number of the batch that mends it.
fn renew(work: &mut Work<'_>, direction: Direction, domain: &str) -> Result<(), StoreError> {
    match direction {
        Direction::Incoming => work.mender.changes_incoming(domain),
        Direction::Outgoing => work.mender.changes_outgoing(domain),
    }
}

/// Goes from host to host of a column family whose keys begin with one.
fn domains_have_numbers(
    work: &mut Work<'_>,
    family: &'static str,
    direction: Direction,
) -> Result<(), StoreError> {
    let mut cursor = work.cursor(family)?;
    let mut last = String::new();
    // Domains with others below them are met again after those.
    let mut told = FxHashSet::default();
    while let Some(key) = cursor.key() {
        let host = Surt::host_of(key).unwrap_or_default();
        let domain = work.store.suffixes.domain_of(&host);
        if domain != last {
            domain.clone_into(&mut last);
            let number = changes::key(direction, domain);
            let is_missing = work.snapshot.get(CHANGES, &number)?.is_none();
            // What is no URL is damage of another kind.
            if is_missing && first_url(key).is_some() && told.insert(key_hash(&number)) {
                work.report.add(CHANGES, "domains without a number", &number);
                renew(work, direction, domain)?;
            }
        }
        work.passed();
        pass_host(&mut cursor);
    }
    Ok(cursor.status()?)
}

fn first_url(key: &[u8]) -> Option<CanonicalUrl> {
    Surt::split_first(key).ok().and_then(|(surt, _)| url_of(surt))
}

/// On to the next host and port: everything of this one shares the text up to the parenthesis.
fn pass_host(cursor: &mut DBRawIteratorWithThreadMode<'_, DB>) {
    let end = cursor.key().and_then(|key| key.iter().position(|&b| b == b')').map(|at| key[..=at].to_vec()));
    match end.and_then(|host| after_prefix(&host)) {
        Some(next) => cursor.seek(next),
        None => cursor.next(),
    }
}
