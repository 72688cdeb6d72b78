//! Asks a server for `/health`, as a health check of a container does.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, bail};
use url::Url;

use crate::fetch::{ServiceClient, ServiceIdentity};

/// Time for an answer. `/health` itself gives up after `api.health_timeout`.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The URL of a server for a client on this machine.
pub(crate) fn local_url(listen: SocketAddr) -> anyhow::Result<Url> {
    Ok(Url::parse(&format!("http://{}/", reachable(listen)))?)
}

/// The loopback address of a server that listens on all addresses, or else its own.
pub(crate) fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// A URL as messages name it: without its usual scheme.
pub(crate) fn name_of(server: &Url) -> &str {
    server.as_str().trim_end_matches('/').trim_start_matches("http://")
}

/// Succeeds if the server at an address, whose URL is that of its root, is well. `host` is a name of it that requests
/// use instead.
///
/// # Errors
/// What is wrong: no connection, no answer in time, or another one.
pub(crate) async fn ask(server: &Url, host: Option<&str>) -> anyhow::Result<()> {
    let client = ServiceClient::new(server.clone(), ServiceIdentity { host, ..ServiceIdentity::default() })?;
    let name = name_of(server);
    let asked = tokio::time::timeout(TIMEOUT, client.get("/health")).await;
    let response = asked
        .with_context(|| format!("{name} gave no answer within {} s", TIMEOUT.as_secs()))?
        .map_err(anyhow::Error::msg)?;
    let answer: serde_json::Value = serde_json::from_slice(&response.body).unwrap_or_default();
    match answer["health"].as_str() {
        Some("ok") if response.status == 200 => Ok(()),
        _ => {
            let text = answer["error"].as_str().map_or(String::new(), |text| format!(": {text}"));
            bail!("{name} answers /health with {}{text}", response.status)
        }
    }
}
