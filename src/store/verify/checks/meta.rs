//! The records of `meta` can be decoded, and there are no others.

use crate::store::StoreError;
use crate::store::db::schema::META;
use crate::store::meta::{COUNTERS, FORMAT_KEY, TOKEN_KEY};
use crate::store::queue::seen_set::SIEVE_KEY;
use crate::store::roles::Roles;
use crate::store::tokens::StoredToken;
use crate::store::users::{ROLES_PREFIX, USER_PREFIX};
use crate::store::verify::VerifyContext;
use crate::store::write::ranks::GENERATION_KEY;

use super::ConsistencyCheck;

pub(super) struct MetaCheck;

impl ConsistencyCheck for MetaCheck {
    fn compare(&mut self, context: &mut VerifyContext<'_>) -> Result<(), StoreError> {
        if context.snapshot.get(META, TOKEN_KEY)?.is_none() {
            context.report.add(META, "rows that are missing", TOKEN_KEY);
            renew_token_key(context)?;
        }
        context.for_each_row(META, "reading meta records", &mut |context, key, value| match key {
            // These have a check of their own, or were read when the store was opened.
            COUNTERS | FORMAT_KEY | SIEVE_KEY | GENERATION_KEY => Ok(()),
            TOKEN_KEY if value.len() == 32 => Ok(()),
            TOKEN_KEY => {
                context.remove_unreadable(META, key, "the token key")?;
                renew_token_key(context)
            }
            _ if is_user(key, value) || are_roles(key, value) => Ok(()),
            _ if StoredToken::decode(key, value).is_some() => Ok(()),
            _ => context.remove_unreadable(META, key, "what it is"),
        })
    }
}

/// Tokens that were signed with the former key become invalid. Clients must log in again.
fn renew_token_key(context: &mut VerifyContext<'_>) -> Result<(), StoreError> {
    let mut key = [0u8; 32];
    getrandom::fill(&mut key).map_err(|error| StoreError::Random(error.to_string()))?;
    context.repair.put(META, TOKEN_KEY, &key)
}

fn is_user(key: &[u8], value: &[u8]) -> bool {
    let name = key.strip_prefix(USER_PREFIX).filter(|name| !name.is_empty());
    name.is_some_and(|name| std::str::from_utf8(name).is_ok()) && std::str::from_utf8(value).is_ok()
}

fn are_roles(key: &[u8], value: &[u8]) -> bool {
    let name = key.strip_prefix(ROLES_PREFIX).filter(|name| !name.is_empty());
    name.is_some_and(|name| std::str::from_utf8(name).is_ok())
        && std::str::from_utf8(value).is_ok_and(|roles| Roles::parse(roles).is_some())
}
