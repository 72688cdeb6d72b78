//! `backlinkd user`: adds, removes and lists the users of the API.

use crate::api::{UserError, check_user_name, hash_password};
use crate::cli::args::UserCommand;
use crate::cli::context::CliContext;
use crate::cli::terminal::password::read_password;
use crate::cli::{Outcome, control};
use crate::store::{Role, Roles, Store, StoreError};

pub(crate) fn user(context: &CliContext, command: UserCommand) -> anyhow::Result<Outcome> {
    match command {
        UserCommand::Add { name, roles } => {
            check_user_name(&name)?;
            let roles: Vec<Role> = roles.into_iter().map(Role::from).collect();
            let roles = (!roles.is_empty()).then(|| Roles::of(&roles));
            let store = context.open_unless_in_use(CliContext::open_or_create)?;
            let hash = hash_password(&read_password()?)?;
            let is_new = match store {
                Some(store) => store.put_user_with_roles(&name, &hash, roles)?,
                None => control::put_user(&context.data, &name, hash, roles)?,
            };
            let done = if is_new { "Added" } else { "Changed the password of" };
            context.console.info(format_args!("{done} user {name}."));
        }
        UserCommand::Remove { name } => {
            match context.open_unless_in_use(CliContext::open)? {
                Some(store) if store.remove_user(&name)? => {}
                Some(_) => return Err(UserError::Unknown(name).into()),
                None => control::remove_user(&context.data, &name)?,
            }
            context.console.info(format_args!("Removed user {name}."));
        }
        UserCommand::List => {
            let users = match control::accepts_requests(&context.data)? {
                true => control::list_users(&context.data)?,
                false => users_with_roles(&*context.open_secondary()?)?,
            };
            for (name, roles) in users {
                // Users with all roles are the usual ones.
                let roles = if roles == Roles::ALL { String::new() } else { format!("\t{roles}") };
                context.console.print(format_args!("{name}{roles}"))?;
            }
        }
    }
    Ok(Outcome::Success)
}

/// The names and roles of all users, sorted by name.
fn users_with_roles(store: &Store) -> Result<Vec<(String, Roles)>, StoreError> {
    let names = store.user_names()?.into_iter();
    names
        .map(|name| {
            let roles = store.user_roles(&name)?;
            Ok((name, roles))
        })
        .collect()
}
