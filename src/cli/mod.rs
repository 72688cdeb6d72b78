//! The command line of `backlinkd`.
//!
//! Exit status: 0 for success; 1 when something failed, including bad seed lines; 2 when the command line or the
//! configuration is wrong.

mod args;
mod commands;
mod context;
mod control;
mod lists;
mod process;
mod setup_args;
mod terminal;

use std::process::ExitCode;
use std::sync::Arc;

use rustix::fs::Mode;

use crate::config::ConfigError;
use crate::crawl::CrawlError;

use args::{Args, Command};
use commands::access::{token, user};
use commands::lists::{edit_blocks, edit_seeds};
use commands::{crawl, demo, explain, host, mcp, rank, robots, run, serve, setup, stats, verify};
use context::CliContext;
use process::user_file::UserFileError;
use terminal::console::{Console, with_causes};
use terminal::log;

/// Exit status for a wrong command line or configuration.
const USAGE: u8 = 2;

/// The outcome of a command that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Success,
    /// The work is done, except for a part that was not possible; a message has said so.
    Partial,
}

/// Runs the program.
pub fn main() -> ExitCode {
    let args = match Args::read() {
        Ok(args) => args,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS };
        }
    };
    let console = Console::new(args.quiet);
    let refuse = |error: &anyhow::Error| {
        console.error(format_args!("backlinkd: {}", with_causes(error)));
        ExitCode::from(USAGE)
    };
    if let Err(error) = log::start(&console, args.verbose, args.log_format) {
        return refuse(&error);
    }
    if let Command::Setup(command) = &args.command {
        return exit_code(&console, setup::execute(&args, &console, command));
    }
    let context = match CliContext::new(&args, &console) {
        Ok(context) => Arc::new(context),
        Err(error) => return refuse(&error),
    };
    exit_code(&console, execute(&context, args.command))
}

/// The exit status of a command; prints its error.
fn exit_code(console: &Console, result: anyhow::Result<Outcome>) -> ExitCode {
    match result {
        Ok(Outcome::Success) => ExitCode::SUCCESS,
        Ok(Outcome::Partial) => ExitCode::FAILURE,
        Err(error) => {
            console.error(format_args!("backlinkd: {}", with_causes(&error)));
            failure_status(&error)
        }
    }
}

/// The exit status for an error. An unusable file that the configuration names makes the configuration wrong.
fn failure_status(error: &anyhow::Error) -> ExitCode {
    match error.downcast_ref() {
        Some(CrawlError::Fetch(_) | CrawlError::Geo(_)) => ExitCode::from(USAGE),
        _ if error.is::<ConfigError>() || error.is::<UserFileError>() => ExitCode::from(USAGE),
        _ => ExitCode::FAILURE,
    }
}

/// Only the owner may read the files that the program creates: they hold password hashes and fetched pages.
fn make_private() {
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
}

fn execute(context: &Arc<CliContext>, command: Command) -> anyhow::Result<Outcome> {
    make_private();
    match command {
        Command::Run { seeds, listen } => run::run(context, seeds.as_deref(), listen),
        Command::Crawl { seeds, max_pages, max_seconds, no_rank } => crawl::crawl(
            context,
            &crawl::CrawlOptions { seeds: seeds.as_deref(), max_pages, max_seconds, rank: !no_rank },
        ),
        Command::Rank => rank::rank(context),
        Command::Robots { source, agent, urls } => robots::robots(context, &source, agent.as_deref(), &urls),
        Command::Serve { listen } => serve::serve(context, listen),
        Command::Seeds(command) => edit_seeds(context, &command),
        Command::Block(command) => edit_blocks(context, &command),
        Command::User(command) => user::user(context, command),
        Command::Token(command) => token::token(context, command),
        Command::Stats { json } => stats::stats(context, json),
        Command::Host { host, json } => host::host(context, &host, json),
        Command::Explain { url, json } => explain::explain(context, &url, json),
        Command::Mcp { url, token } => mcp::mcp(context, &mcp::ToolOptions { url, token }),
        Command::Verify { repair } => verify::verify(context, repair),
        Command::Demo { listen, once } => demo::demo(context, listen, once),
        // It has no context, or one of its own.
        Command::Setup(_) => Ok(Outcome::Success),
    }
}
