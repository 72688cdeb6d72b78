//! `backlinkd user`: adds, removes and lists the users of the API.

use crate::cli::args::UserCommand;
use crate::cli::context::CliContext;
use crate::cli::{Outcome, control, users};

pub fn user(context: &CliContext, command: UserCommand) -> anyhow::Result<Outcome> {
    match command {
        UserCommand::Add { name } => {
            users::check_name(&name)?;
            let store = context.open_unless_in_use(CliContext::open_or_create)?;
            let hash = users::hash_password(&users::read_password()?, crate::api::hash_password)?;
            let is_new = match store {
                Some(store) => users::put(&store, &name, &hash)?,
                None => control::put_user(&context.data, &name, hash)?,
            };
            let done = if is_new { "Added" } else { "Changed the password of" };
            context.console.info(format_args!("{done} user {name}."));
        }
        UserCommand::Remove { name } => {
            match context.open_unless_in_use(CliContext::open)? {
                Some(store) => users::remove(&store, &name)?,
                None => control::remove_user(&context.data, &name)?,
            }
            context.console.info(format_args!("Removed user {name}."));
        }
        UserCommand::List => {
            let names = match control::accepts_requests(&context.data)? {
                true => control::list_users(&context.data)?,
                false => users::list(&*context.open_secondary()?)?,
            };
            for name in names {
                context.console.print(name)?;
            }
        }
    }
    Ok(Outcome::Success)
}
