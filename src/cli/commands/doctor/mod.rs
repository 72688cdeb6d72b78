//! `backlinkd doctor`: what an operator would look at, one line each, and the line that mends it. Works while a daemon
//! runs, and changes nothing.
//!
//! | file | checks |
//! |---|---|
//! | `settings` | configuration, contact, resolver, place database |
//! | `machine` | open files, memory, huge pages, clock |
//! | `directory` | data directory, disk, the process that uses it, port |
//! | `index` | format, users, seeds, ranks, verification |

mod directory;
mod examination;
mod index;
mod machine;
mod settings;

use std::path::PathBuf;

use anyhow::Context;

use crate::cli::args::Args;
use crate::cli::context::runtime;
use crate::cli::control::{ConfigSources, ServerStatus};
use crate::cli::terminal::console::Console;
use crate::cli::{Outcome, control};
use crate::config::{LoadedConfig, load_with_origins};

use examination::{Examination, Verdict, json_report, text_report};

/// What is examined.
struct Patient {
    /// The defaults, if the configuration cannot be used.
    loaded: LoadedConfig,
    /// Where the configuration comes from.
    sources: ConfigSources,
    data: PathBuf,
    /// The server that uses the data directory, if it answers.
    server: Option<ServerStatus>,
    /// Why it did not, if something answers in a wrong way or not in time.
    unanswered: Option<anyhow::Error>,
    runtime: tokio::runtime::Runtime,
}

/// The sources of the configuration to examine: those of the server, with the `--set` arguments of this command above
/// them; those of this command alone if it names another file, or if no server tells its own.
fn sources(args: &Args, server: Option<&ServerStatus>) -> ConfigSources {
    let own = ConfigSources::of(args.config.as_deref(), &args.set);
    match server.and_then(|server| server.sources.clone()) {
        Some(theirs) if own.file.is_none() || own.file == theirs.file => {
            ConfigSources { set: [theirs.set, own.set].concat(), ..theirs }
        }
        _ => own,
    }
}

pub(crate) fn doctor(args: &Args, console: &Console, json: bool) -> anyhow::Result<Outcome> {
    let (server, unanswered) = match control::status(&args.data) {
        Ok(server) => (server, None),
        Err(error) => (None, Some(error)),
    };
    let sources = sources(args, server.as_ref());
    let variables = sources.variables.iter().cloned();
    let (loaded, mut checks) = match load_with_origins(sources.file.as_deref(), variables, &sources.set) {
        Ok(loaded) => (loaded, Vec::new()),
        Err(error) => {
            let defaults = load_with_origins(None, std::iter::empty(), &[])?;
            let how = "correct it; `backlinkd config check` says when it is right. Until then, the defaults are checked";
            (defaults, vec![Examination::fail("configuration", error.to_string(), how)])
        }
    };
    let patient =
        Patient { loaded, sources, data: args.data.clone(), server, unanswered, runtime: runtime()? };
    if checks.is_empty() {
        checks.push(settings::configuration(&patient));
    }
    checks.extend(settings::all(&patient));
    checks.extend(machine::all(&patient));
    let directory = directory::all(&patient);
    let is_usable =
        directory.iter().all(|check| check.name != directory::NAME || check.verdict != Verdict::Fail);
    checks.extend(directory);
    checks.extend(match is_usable {
        true => index::all(&patient),
        false => vec![Examination::skipped("index", "not read, because the data directory cannot be used")],
    });
    let report = if json { json_report(&checks) } else { Ok(text_report(&checks)) };
    console.print(report.context("the report cannot be written as JSON")?)?;
    let is_well = checks.iter().all(|check| check.verdict != Verdict::Fail);
    Ok(if is_well { Outcome::Success } else { Outcome::Partial })
}
