//! The same web over HTTP/2: status, headers and body of a reply are sent unchanged, or the stream is reset.

use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{Reply, Request, Site};

/// Responds to one request after the other until the client disconnects.
pub async fn serve<S>(stream: S, at: SocketAddr, connection: usize, site: &Site)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Ok(mut server) = h2::server::handshake(stream).await else { return };
    while let Some(Ok((request, mut respond))) = server.accept().await {
        let request = read(&request, at, connection);
        let index = site.record(&request);
        let reply = site.reply(&request);
        if let Some(code) = reply.http2_reset {
            respond.send_reset(code.into());
        } else if let Ok(mut body) = respond.send_response(head(&reply), false) {
            let _ = body.send_data(Bytes::from(reply.body), true);
        }
        site.log.lock().unwrap()[index].end = Some(Instant::now());
    }
}

fn read(request: &http::Request<h2::RecvStream>, at: SocketAddr, connection: usize) -> Request {
    let headers = request.headers().iter();
    let uri = request.uri();
    Request {
        host: uri.host().unwrap_or_default().to_owned(),
        path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
        headers: headers
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect(),
        at,
        tls: true,
        http2: true,
        connection,
        start: Instant::now(),
        end: None,
    }
}

fn head(reply: &Reply) -> http::Response<()> {
    let mut head = http::Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        head = head.header(name.as_str(), value.as_slice());
    }
    head.body(()).unwrap()
}
