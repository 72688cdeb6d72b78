//! `backlinkd user`: adds, removes and lists the users of the API.

use crate::api::{UserError, check_user_name, hash_password};
use crate::cli::args::UserCommand;
use crate::cli::context::CliContext;
use crate::cli::terminal::password::read_password;
use crate::cli::{Outcome, control};

pub(crate) fn user(context: &CliContext, command: UserCommand) -> anyhow::Result<Outcome> {
    match command {
        UserCommand::Add { name } => {
            check_user_name(&name)?;
            let store = context.open_unless_in_use(CliContext::open_or_create)?;
            let hash = hash_password(&read_password()?)?;
            let is_new = match store {
                Some(store) => store.put_user(&name, &hash)?,
                None => control::put_user(&context.data, &name, hash)?,
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
            let names = match control::accepts_requests(&context.data)? {
                true => control::list_users(&context.data)?,
                false => context.open_secondary()?.user_names()?,
            };
            for name in names {
                context.console.print(name)?;
            }
        }
    }
    Ok(Outcome::Success)
}
