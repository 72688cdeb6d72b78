//! `backlinkd ping`: whether a daemon answers, for the health checks of containers and service managers.

use std::net::SocketAddr;

use anyhow::{Context, bail};
use url::Url;

use super::settings;
use crate::cli::args::Args;
use crate::cli::context::runtime;
use crate::cli::process::health;
use crate::cli::process::holder::holder;
use crate::cli::terminal::console::Console;
use crate::cli::{Outcome, control};

pub(crate) fn ping(
    args: &Args,
    console: &Console,
    listen: Option<SocketAddr>,
    url: Option<&str>,
) -> anyhow::Result<Outcome> {
    // Every server accepts a name of this machine.
    let (server, host) = match (listen, url) {
        (_, Some(url)) => (parse_url(url)?, None),
        (Some(listen), None) => (health::local_url(listen)?, Some("localhost")),
        (None, None) => (health::local_url(daemon_address(args)?)?, Some("localhost")),
    };
    runtime()?.block_on(health::ask(&server, host))?;
    console.info(format_args!("{} is well.", health::name_of(&server)));
    Ok(Outcome::Success)
}

/// Where the server of the data directory can be reached from this machine.
///
/// # Errors
/// When no server holds it.
pub(super) fn daemon_address(args: &Args) -> anyhow::Result<SocketAddr> {
    let data = args.data.display();
    let Some(status) = control::status(&args.data)? else {
        match holder(&args.data) {
            Some(pid) => bail!("process {pid} uses {data}, and serves nothing there, or not yet"),
            None => bail!(
                "no server uses {data}; start one with `backlinkd --data {data} run`, or name one with --listen"
            ),
        }
    };
    if let Some(address) = status.address {
        return Ok(health::reachable(address));
    }
    // A server of an earlier version, or one that is about to listen.
    Ok(health::reachable(settings::load(args)?.config.api.listen))
}

/// The root of the server that a URL names.
fn parse_url(text: &str) -> anyhow::Result<Url> {
    let mut url =
        Url::parse(text).with_context(|| format!("\"{text}\" is no URL; write http://HOST:PORT"))?;
    if !matches!(url.scheme(), "http" | "https") {
        bail!("\"{text}\" is no http URL; write http://HOST:PORT");
    }
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}
