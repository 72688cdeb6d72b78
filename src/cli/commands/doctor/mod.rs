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

use super::setup::settings::load;
use crate::cli::args::Args;
use crate::cli::context::runtime;
use crate::cli::control::ServerStatus;
use crate::cli::terminal::console::Console;
use crate::cli::{Outcome, control};
use crate::config::LoadedConfig;

use examination::{Examination, Verdict, json_report, text_report};

/// What is examined.
struct Patient {
    /// The defaults, if the configuration cannot be used.
    loaded: LoadedConfig,
    /// The `--config` file.
    file: Option<PathBuf>,
    data: PathBuf,
    /// The server that uses the data directory, if it answers.
    server: Option<ServerStatus>,
    runtime: tokio::runtime::Runtime,
}

pub(crate) fn doctor(args: &Args, console: &Console, json: bool) -> anyhow::Result<Outcome> {
    let (loaded, mut checks) = match load(args) {
        Ok(loaded) => (loaded, Vec::new()),
        Err(error) => {
            let defaults = crate::config::load_with_origins(None, std::iter::empty(), &[])?;
            let how = "correct it; `backlinkd config check` says when it is right. Until then, the defaults are checked";
            (defaults, vec![Examination::fail("configuration", error.to_string(), how)])
        }
    };
    let patient = Patient {
        loaded,
        file: args.config.clone(),
        data: args.data.clone(),
        server: control::status(&args.data).unwrap_or_default(),
        runtime: runtime()?,
    };
    if checks.is_empty() {
        checks.push(settings::configuration(&patient));
    }
    checks.extend(settings::all(&patient));
    checks.extend(machine::all(&patient));
    checks.extend(directory::all(&patient));
    checks.extend(index::all(&patient));
    let report = if json { json_report(&checks) } else { Ok(text_report(&checks)) };
    console.print(report.context("the report cannot be written as JSON")?)?;
    let is_well = checks.iter().all(|check| check.verdict != Verdict::Fail);
    Ok(if is_well { Outcome::Success } else { Outcome::Partial })
}
