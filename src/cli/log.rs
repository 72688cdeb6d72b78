//! The log, on standard error: as lines for people, or as one JSON object a line for collectors.
//!
//! Failures of single fetches are one line each under the target `backlinkd::fetches`, with the URL, its host, the
//! kind of failure and its cause as fields. The web is full of them, so they are told from `-v` on, or where
//! `BACKLINKD_LOG` asks for them.

use std::io::IsTerminal;

use anyhow::Context;
use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

use super::console::Console;

/// How lines of the log are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    #[default]
    Text,
    Json,
}

/// What is logged when `BACKLINKD_LOG` does not say.
fn usual_filter(quiet: bool, verbose: u8) -> String {
    let level = match (quiet, verbose) {
        (true, _) => "error",
        (false, 0) => "backlinkd=info,warn,backlinkd::fetches=warn",
        (false, 1) => "backlinkd=debug,info",
        (false, _) => return "trace".to_owned(),
    };
    // These report as errors and warnings what any client or server of the web may do: they are counted, not told.
    format!("{level},warp=off,h2=off,hyper=off,rustls_platform_verifier=off")
}

/// Starts the log; `BACKLINKD_LOG` takes a filter such as `backlinkd::fetch=debug`.
///
/// # Errors
/// When that is none.
pub(super) fn start(console: &Console, verbose: u8, format: LogFormat) -> anyhow::Result<()> {
    let filter = match std::env::var("BACKLINKD_LOG") {
        Ok(filter) => EnvFilter::try_new(filter).context(
            "BACKLINKD_LOG is no log filter; write it like \"info\" or \"backlinkd::fetch=debug\"",
        )?,
        Err(_) => EnvFilter::new(usual_filter(console.is_quiet(), verbose)),
    };
    let writer = console.clone();
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(move || writer.clone())
        // What cannot be written to standard error cannot be complained about there.
        .log_internal_errors(false);
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => {
            log.json().flatten_event(true).with_current_span(false).with_span_list(false).init()
        }
    }
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// Logs a panic in one line, in the format of all others.
fn log_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string);
    let message = panic.payload_as_str().unwrap_or("without a message");
    tracing::error!(place, message, "this program panicked, which is a defect; please report it");
}
