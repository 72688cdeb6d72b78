//! Asks a server for `/health`, as a health check of a container does.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use http::Request;
use http::header::{CONNECTION, HOST};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// Time for an answer. `/health` itself gives up after `api.health_timeout`.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes of an answer that are read at most.
const MAX_BODY_BYTES: usize = 64 << 10;

/// The loopback address of a server that listens on all addresses, or else its own.
pub(crate) fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// Succeeds if a server is well. `authority` is the host that the request names.
///
/// # Errors
/// What is wrong: no connection, no answer in time, or another one.
pub(crate) async fn ask(address: &str, authority: &str) -> anyhow::Result<()> {
    let asked = tokio::time::timeout(TIMEOUT, exchange(address, authority)).await;
    asked.with_context(|| format!("{address} gave no answer within {} s", TIMEOUT.as_secs()))?
}

async fn exchange(address: &str, authority: &str) -> anyhow::Result<()> {
    let stream = TcpStream::connect(address).await;
    let stream = stream.with_context(|| format!("{address} takes no connection"))?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let request = Request::get("/health").header(HOST, authority).header(CONNECTION, "close");
    let response = sender.send_request(request.body(Empty::<Bytes>::new())?).await;
    let response = response.with_context(|| format!("{address} does not answer in HTTP"))?;
    let status = response.status();
    let body = Limited::new(response.into_body(), MAX_BODY_BYTES).collect().await;
    connection.abort();
    let body = body.map(|body| body.to_bytes()).unwrap_or_default();
    let answer: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    match answer["health"].as_str() {
        Some("ok") if status.is_success() => Ok(()),
        _ => {
            let text = answer["error"].as_str().map_or(String::new(), |text| format!(": {text}"));
            bail!("{address} answers /health with {}{text}", status.as_u16())
        }
    }
}
