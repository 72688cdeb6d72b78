//! What there is once per database can be read, and nothing else stands beside it.

use super::super::StoreError;
use super::super::meta::{COUNTERS, FORMAT_KEY, TOKEN_KEY, USER_PREFIX};
use super::super::ranks::GENERATION_KEY;
use super::super::schema::META;
use super::super::seen::SIEVE_KEY;
use super::{Check, Work};

pub(super) struct Meta;

impl Check for Meta {
    fn settle(&mut self, work: &mut Work<'_>) -> Result<(), StoreError> {
        if work.snapshot.get(META, TOKEN_KEY)?.is_none() {
            work.report.add(META, "rows that are missing", TOKEN_KEY);
            renew_token_key(work)?;
        }
        work.each_row(META, "reading what is kept once", &mut |work, key, value| match key {
            // Compared by a check of its own, or read when the store was opened.
            COUNTERS | FORMAT_KEY | SIEVE_KEY | GENERATION_KEY => Ok(()),
            TOKEN_KEY if value.len() == 32 => Ok(()),
            TOKEN_KEY => {
                work.unreadable(META, key, "the token key")?;
                renew_token_key(work)
            }
            _ if is_user(key, value) => Ok(()),
            _ => work.unreadable(META, key, "what it is"),
        })
    }
}

/// Tokens given by the former one are refused from then on; clients begin anew.
fn renew_token_key(work: &mut Work<'_>) -> Result<(), StoreError> {
    let mut key = [0u8; 32];
    getrandom::fill(&mut key).map_err(|error| StoreError::Random(error.to_string()))?;
    work.mender.put(META, TOKEN_KEY, &key)
}

fn is_user(key: &[u8], value: &[u8]) -> bool {
    let name = key.strip_prefix(USER_PREFIX).filter(|name| !name.is_empty());
    name.is_some_and(|name| std::str::from_utf8(name).is_ok()) && std::str::from_utf8(value).is_ok()
}
