//! `backlinkd open`: opens the page in the browser.

use std::io;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::ping::daemon_address;
use crate::cli::Outcome;
use crate::cli::args::Args;
use crate::cli::terminal::console::Console;

/// Time in which an opener says that it failed.
const OPENING_TIMEOUT: Duration = Duration::from_secs(3);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Programs that open an address in the browser that the user has chosen.
const OPENERS: [&str; 2] = ["xdg-open", "open"];

pub(crate) fn open(
    args: &Args,
    console: &Console,
    site: Option<&str>,
    print: bool,
) -> anyhow::Result<Outcome> {
    let address = page(&daemon_address(args)?.to_string(), site);
    if print {
        console.print(&address)?;
        return Ok(Outcome::Success);
    }
    let mut problem = None;
    for program in OPENERS {
        let mut command = Command::new(program);
        command.arg(&address).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        match command.spawn().and_then(wait_for) {
            Ok(status) if status.is_none_or(|status| status.success()) => {
                console.info(format_args!("Opened {address}"));
                return Ok(Outcome::Success);
            }
            Ok(status) => {
                let status = status.map_or(String::new(), |status| format!(" ({status})"));
                problem.get_or_insert_with(|| format!("{program} failed to open a browser{status}"));
            }
            Err(_) => {}
        }
    }
    console.print(&address)?;
    let problem = problem.unwrap_or_else(|| "no program here opens a browser (xdg-open)".to_owned());
    console.error(format_args!("backlinkd: {problem}; open that address yourself."));
    Ok(Outcome::Partial)
}

/// Waits for a program that opens a browser. One that goes on is the browser itself, and may: `None`.
fn wait_for(mut program: Child) -> io::Result<Option<ExitStatus>> {
    let start = Instant::now();
    while start.elapsed() < OPENING_TIMEOUT {
        if let Some(status) = program.try_wait()? {
            return Ok(Some(status));
        }
        std::thread::sleep(POLL_INTERVAL);
    }
    Ok(None)
}

/// The address of the page, or of the overview of a site.
pub(super) fn page(address: &str, site: Option<&str>) -> String {
    match site {
        None => format!("http://{address}/"),
        Some(site) => {
            let query: String = url::form_urlencoded::byte_serialize(site.as_bytes()).collect();
            format!("http://{address}/?url={query}")
        }
    }
}
