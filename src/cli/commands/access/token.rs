//! `backlinkd token`: adds, removes and lists the access tokens of the API.

use anyhow::Context;

use crate::api::{UserError, check_user_name, random_token, token_digest};
use crate::cli::args::{RoleName, TokenCommand};
use crate::cli::context::CliContext;
use crate::cli::{Outcome, control};
use crate::clock::{format_unix_time, unix_now};
use crate::store::{Role, Roles, StoredToken};

pub(crate) fn token(context: &CliContext, command: TokenCommand) -> anyhow::Result<Outcome> {
    match command {
        TokenCommand::Add { name, roles, expires } => {
            let expires_at = expires.map(|time| unix_now().saturating_add(time.as_secs()));
            add(context, name, &roles, expires_at)?;
        }
        TokenCommand::Remove { name, force } => {
            match context.open_unless_in_use(CliContext::open)? {
                Some(store) if !force && store.is_last_token(&name)? => {
                    return Err(UserError::LastToken(name).into());
                }
                Some(store) if store.remove_token(&name)? => {}
                Some(_) => return Err(UserError::UnknownToken(name).into()),
                None => control::remove_token(&context.data, &name, force)?,
            }
            context.console.info(format_args!("Removed token {name}."));
        }
        TokenCommand::List => {
            let tokens = match control::accepts_requests(&context.data)? {
                true => control::list_tokens(&context.data)?,
                false => context.open_secondary()?.tokens()?,
            };
            for token in tokens {
                context.console.print(describe(&token, unix_now()))?;
            }
        }
    }
    Ok(Outcome::Success)
}

/// Adds a token, and prints it. It cannot be shown again.
fn add(
    context: &CliContext,
    name: String,
    roles: &[RoleName],
    expires_at: Option<u64>,
) -> anyhow::Result<()> {
    check_user_name(&name)?;
    let store = context.open_unless_in_use(CliContext::open_or_create)?;
    let token = random_token().context("the system provides no randomness")?;
    let roles: Vec<Role> = roles.iter().map(|role| Role::from(*role)).collect();
    let roles = if roles.is_empty() { Roles::of(&[Role::Read]) } else { Roles::of(&roles) };
    let stored = StoredToken { name, digest: token_digest(&token), roles, expires_at };
    match &store {
        Some(store) if store.add_token(&stored)? => {}
        Some(_) => return Err(UserError::TokenExists(stored.name).into()),
        None => control::add_token(&context.data, &stored)?,
    }
    context.console.info(format_args!(
        "Added token {}. Send it as `Authorization: Bearer TOKEN`. It is not shown again:",
        stored.name
    ));
    let Err(error) = context.console.print_once(token) else { return Ok(()) };
    // A token that was not seen is of no use, and its name would be taken.
    match &store {
        Some(store) => _ = store.remove_token(&stored.name)?,
        None => control::remove_token(&context.data, &stored.name, true)?,
    }
    Err(error.context(format!("the token {} was removed again", stored.name)))
}

/// The line of a token: name, roles and end, with tabs between.
fn describe(token: &StoredToken, now: u64) -> String {
    let end = match token.expires_at {
        None => "never expires".to_owned(),
        Some(end) if token.is_expired(now) => format!("expired {}", format_unix_time(end)),
        Some(end) => format!("expires {}", format_unix_time(end)),
    };
    format!("{}\t{}\t{end}", token.name, token.roles)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_described_in_one_line() {
        let token = |expires_at| StoredToken {
            name: "n".to_owned(),
            digest: String::new(),
            roles: Roles::of(&[Role::Read]),
            expires_at,
        };
        assert_eq!(describe(&token(None), 5), "n\tread\tnever expires");
        assert_eq!(describe(&token(Some(5)), 5), "n\tread\texpired 1970-01-01T00:00:05Z");
        assert_eq!(describe(&token(Some(6)), 5), "n\tread\texpires 1970-01-01T00:00:06Z");
    }
}
