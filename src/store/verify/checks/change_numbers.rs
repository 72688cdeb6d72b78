//! Every registrable domain with pages or with backlinks has the number of a past commit, and so has the index as a
//! whole. A number of a domain that no longer has rows does no harm: it only makes cached answers about the domain out
//! of date.

use hashbrown::HashSet;

use crate::store::StoreError;
use crate::store::codec::keys::after_prefix;
use crate::store::db::rows::RowCursor;
use crate::store::db::schema::{BACKLINKS, CHANGES, PAGES};
use crate::store::verify::VerifyContext;
use crate::store::verify::pages::canonical_url;
use crate::store::verify::set_hash::key_hash;
use crate::store::write::change_numbers;
use crate::store::write::change_numbers::Direction;
use crate::urls::{CanonicalUrl, Surt};

use super::ConsistencyCheck;

pub(super) struct ChangeNumberCheck;

impl ConsistencyCheck for ChangeNumberCheck {
    fn compare(&mut self, context: &mut VerifyContext<'_>) -> Result<(), StoreError> {
        check_numbers(context)?;
        context.begin_step("looking for domains without a number");
        check_domains(context, PAGES, Direction::Outgoing)?;
        check_domains(context, BACKLINKS, Direction::Incoming)
    }
}

fn check_numbers(context: &mut VerifyContext<'_>) -> Result<(), StoreError> {
    check_last_number(context)?;
    let last = context.last_change;
    context.for_each_row(CHANGES, "reading change numbers", &mut |context, key, value| {
        let Some((direction, domain)) = change_numbers::split_domain_key(key) else {
            return if key == change_numbers::LAST_CHANGE_KEY {
                Ok(())
            } else {
                context.remove_unreadable(CHANGES, key, "the key")
            };
        };
        let number = change_numbers::decode_number(key, Some(value)).unwrap_or_default();
        if (1..=last).contains(&number) {
            return Ok(());
        }
        // It is unknown whether this number is wrong or the last number of all.
        context.repair.raise_change_number(number);
        context.report.add(CHANGES, "numbers of no commit", key);
        mark_domain(context, direction, &domain)
    })
}

/// Compares the stored number of the last commit with the number in use. They differ if the stored one cannot be read.
fn check_last_number(context: &mut VerifyContext<'_>) -> Result<(), StoreError> {
    let stored = context.snapshot.get(CHANGES, change_numbers::LAST_CHANGE_KEY)?;
    let what = match stored.as_deref() {
        None => "rows that are missing",
        Some(_) => "rows that cannot be read",
    };
    if change_numbers::decode_number(change_numbers::LAST_CHANGE_KEY, stored.as_deref())
        .is_ok_and(|number| number == context.last_change)
    {
        return Ok(());
    }
    context.report.add(CHANGES, what, change_numbers::LAST_CHANGE_KEY);
    // Each repair is numbered, so an empty repair writes the number.
    context.repair.put(CHANGES, change_numbers::LAST_CHANGE_KEY, &[])
}

/// Gives the domain the number of the batch that repairs it.
fn mark_domain(
    context: &mut VerifyContext<'_>,
    direction: Direction,
    domain: &str,
) -> Result<(), StoreError> {
    match direction {
        Direction::Incoming => context.repair.mark_incoming(domain),
        Direction::Outgoing => context.repair.mark_outgoing(domain),
    }
}

/// Reads the first key of each host in a column family whose keys begin with a host.
fn check_domains(
    context: &mut VerifyContext<'_>,
    family: &'static str,
    direction: Direction,
) -> Result<(), StoreError> {
    let mut cursor = context.cursor(family)?;
    let mut last = String::new();
    // A domain with other domains below it appears again after them.
    let mut reported = HashSet::new();
    while let Some(key) = cursor.key() {
        let host = Surt::decode_host(key).unwrap_or_default();
        let domain = context.store.suffixes.domain_of(&host);
        if domain != last {
            domain.clone_into(&mut last);
            let number = change_numbers::domain_key(direction, domain);
            let is_missing = context.snapshot.get(CHANGES, &number)?.is_none();
            // A key without a URL is damage of another kind.
            if is_missing && first_url(key).is_some() && reported.insert(key_hash(&number)) {
                context.report.add(CHANGES, "domains without a number", &number);
                mark_domain(context, direction, domain)?;
            }
        }
        context.count_row();
        seek_next_host(&mut cursor);
    }
    Ok(cursor.status()?)
}

fn first_url(key: &[u8]) -> Option<CanonicalUrl> {
    Surt::split_first(key).ok().and_then(|(surt, _)| canonical_url(surt))
}

/// Moves to the next host and port: all keys of this one share the text up to the parenthesis.
fn seek_next_host(cursor: &mut RowCursor<'_>) {
    let end = cursor.key().and_then(|key| key.iter().position(|&b| b == b')').map(|at| key[..=at].to_vec()));
    match end.and_then(|host| after_prefix(&host)) {
        Some(next) => cursor.seek(next),
        None => cursor.next(),
    }
}
