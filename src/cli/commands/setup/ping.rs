//! `backlinkd ping`: whether a daemon answers, for the health checks of containers and service managers.

use std::net::SocketAddr;

use anyhow::{Context, bail};

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
    let (address, authority) = match (listen, url) {
        (_, Some(url)) => address_of_url(url)?,
        (Some(listen), None) => own_name(listen),
        (None, None) => own_name(daemon_address(args)?),
    };
    runtime()?.block_on(health::ask(&address, &authority))?;
    console.info(format_args!("{address} is well."));
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

/// The address, and a name of this machine, which every server accepts.
fn own_name(listen: SocketAddr) -> (String, String) {
    (health::reachable(listen).to_string(), "localhost".to_owned())
}

/// The address and the authority of an http URL.
fn address_of_url(url: &str) -> anyhow::Result<(String, String)> {
    let parsed =
        url::Url::parse(url).with_context(|| format!("\"{url}\" is no URL; write http://HOST:PORT"))?;
    let host = parsed.host_str().filter(|_| parsed.scheme() == "http");
    let Some(host) = host else {
        bail!(
            "\"{url}\" is no http URL; backlinkd speaks plain HTTP, so name its own address, not that of a TLS proxy"
        );
    };
    let port = parsed.port_or_known_default().unwrap_or(80);
    Ok((format!("{host}:{port}"), parsed.authority().to_owned()))
}
