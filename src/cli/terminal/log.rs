//! The log, on standard error: lines for people, or one JSON object per line for collectors.
//!
//! A failed fetch is one line under the target `backlinkd::fetches`, with the URL, its host, the kind of failure and
//! its cause as fields. The web is full of them, so they are logged from `-v` on, or where `BACKLINKD_LOG` enables
//! them.

use std::io::IsTerminal;

use anyhow::Context;
use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

use super::console::Console;

/// The format of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    #[default]
    Text,
    Json,
}

/// The filter without `BACKLINKD_LOG`.
fn usual_filter(quiet: bool, verbose: u8) -> String {
    let level = match (quiet, verbose) {
        (true, _) => "error",
        (false, 0) => "backlinkd=info,warn,backlinkd::fetches=warn",
        (false, 1) => "backlinkd=debug,info",
        (false, _) => return "trace".to_owned(),
    };
    // These crates log client and server misbehaviour as errors and warnings. It is counted instead.
    format!("{level},warp=off,h2=off,hyper=off,rmcp=off,rustls_platform_verifier=off")
}

/// Starts the log; `BACKLINKD_LOG` takes a filter such as `backlinkd::fetch=debug`.
///
/// # Errors
/// When that is not a filter.
pub(crate) fn start(console: &Console, verbose: u8, format: LogFormat) -> anyhow::Result<()> {
    let filter = match std::env::var("BACKLINKD_LOG") {
        Ok(filter) => EnvFilter::try_new(filter).context(
            "BACKLINKD_LOG is not a log filter; write it like \"info\" or \"backlinkd::fetch=debug\"",
        )?,
        Err(_) => EnvFilter::new(usual_filter(console.is_quiet(), verbose)),
    };
    let writer = console.clone();
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(move || writer.clone())
        // A failed write to standard error cannot be reported there.
        .log_internal_errors(false);
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => {
            log.json().flatten_event(true).with_current_span(false).with_span_list(false).init();
        }
    }
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// Logs a panic in one line, in the format of all others.
fn log_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string);
    let message = panic.payload_as_str().unwrap_or("without a message");
    tracing::error!(place, message, "the program panicked, which is a bug; please report it");
}
