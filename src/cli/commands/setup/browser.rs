//! `backlinkd open`: opens the page in the browser.

use std::process::{Command, Stdio};

use super::ping::daemon_address;
use crate::cli::Outcome;
use crate::cli::args::Args;
use crate::cli::terminal::console::Console;

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
    for program in OPENERS {
        let mut command = Command::new(program);
        command.arg(&address).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if command.status().is_ok_and(|status| status.success()) {
            console.info(format_args!("Opened {address}"));
            return Ok(Outcome::Success);
        }
    }
    console.print(&address)?;
    console.error("backlinkd: no program here opens a browser (xdg-open); open that address yourself.");
    Ok(Outcome::Partial)
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
