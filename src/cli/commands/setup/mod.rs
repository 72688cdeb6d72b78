//! Commands for the first steps and for checks. They start no work on an index, except for `try`.

mod browser;
mod generate;
pub(crate) mod named_files;
mod ping;
pub(crate) mod settings;
mod site;
mod trial;

use std::sync::Arc;

use crate::cli::args::Args;
use crate::cli::commands::doctor;
use crate::cli::context::CliContext;
use crate::cli::setup_args::SetupCommand;
use crate::cli::terminal::console::Console;
use crate::cli::{Outcome, make_private};

/// Runs a command. All but `try` work with a configuration that a crawl would refuse.
pub(crate) fn execute(args: &Args, console: &Console, command: &SetupCommand) -> anyhow::Result<Outcome> {
    make_private();
    match command {
        SetupCommand::Config(command) => settings::config(args, console, command),
        SetupCommand::Doctor { json } => doctor::doctor(args, console, *json),
        SetupCommand::Ping { listen, url } => ping::ping(args, console, *listen, url.as_deref()),
        SetupCommand::Open { site, print } => browser::open(args, console, site.as_deref(), *print),
        SetupCommand::Generate { file } => generate::generate(console, *file),
        SetupCommand::Try { site, pages, listen } => {
            let context = CliContext::new(&trial::arguments(args), console)?;
            let options = trial::TrialOptions { site, pages: *pages, listen: *listen };
            trial::run(&Arc::new(trial::place(context, args, site)?), &options)
        }
    }
}
