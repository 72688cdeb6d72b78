//! An HTTP client for the demo's API.

use std::net::SocketAddr;

use bytes::Bytes;
use data_encoding::BASE64;
use http::Request;
use http::header::{AUTHORIZATION, HOST};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use super::{DemoError, PASSWORD, USER};

type AskFailure = Box<dyn std::error::Error + Send + Sync>;

/// The status and JSON of a response. `known`: whether to send name and password.
///
/// # Errors
/// [`DemoError::Ask`] when the response is not JSON.
pub(super) async fn ask(at: SocketAddr, path: &str, known: bool) -> Result<(u16, Value), DemoError> {
    exchange(at, path, known).await.map_err(|cause| DemoError::Ask { path: path.to_owned(), cause })
}

async fn exchange(at: SocketAddr, path: &str, known: bool) -> Result<(u16, Value), AskFailure> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(TcpStream::connect(at).await?)).await?;
    let connection = tokio::spawn(connection);
    let mut request = Request::get(path).header(HOST, at.to_string());
    if known {
        let code = BASE64.encode(format!("{USER}:{PASSWORD}").as_bytes());
        request = request.header(AUTHORIZATION, format!("Basic {code}"));
    }
    let response = sender.send_request(request.body(Empty::<Bytes>::new())?).await?;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await?.to_bytes();
    drop(sender);
    connection.await??;
    Ok((status, serde_json::from_slice(&body)?))
}
