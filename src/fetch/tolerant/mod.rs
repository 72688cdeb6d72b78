//! Requests to servers whose response heads the HTTP client rejects, although browsers accept them.
//!
//! Each such request gets its own connection. Between the connection and the HTTP client, a [`reader::HeadReader`]
//! rewrites each response head into the form of RFC 9112:
//!
//! * The status line has one blank behind the version, and the version is always `HTTP/1.1`, so a response of
//!   HTTP/1.0 may be chunked.
//! * Interim responses (1xx) are removed.
//! * Lines that are not header fields are removed, folded lines are joined, and control characters become blanks.
//! * The chunked coding is decoded here ([`chunks`]), wherever `Transfer-Encoding` names it.
//! * `Content-Length` lines that are not numbers, or contradict each other, are removed. The body then ends with the
//!   connection.
//! * Header fields beyond `fetch.max_headers` are dropped and counted, unless the crawl reads them ([`is_read`]).
//!
//! Messages in archives are read by the same rules ([`stored`]).

mod chunks;
mod head;
mod reader;
mod stored;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use reqwest::Response;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::failure::{Blame, Failure};
use crate::model::FailureKind;
use crate::urls::CanonicalUrl;
use reader::HeadReader;

pub(super) use stored::{StoredMessage, parse_message};

/// Maximum number of fields beyond `fetch.max_headers` that are kept because the crawl reads them.
const MAX_EXTRA_FIELDS: usize = 100;

/// Whether the crawl or the HTTP client uses a header field, which is then always kept.
pub(super) fn is_read(name: &[u8]) -> bool {
    const READ: [&str; 13] = [
        "content-type",
        "content-encoding",
        "content-length",
        "transfer-encoding",
        "connection",
        "location",
        "set-cookie",
        "x-robots-tag",
        "link",
        "refresh",
        "retry-after",
        "etag",
        "last-modified",
    ];
    READ.iter().any(|read| name.eq_ignore_ascii_case(read.as_bytes()))
}

/// Makes one request to a server at an address. Returns the response with its body unread, and the number of dropped
/// header fields.
///
/// # Errors
/// [`Failure`] when no connection is possible, or the response is not HTTP even so.
pub(super) async fn get(
    url: &CanonicalUrl,
    socket_addr: SocketAddr,
    tls: &ClientConfig,
    headers: HeaderMap,
    max_headers: usize,
    connect_timeout: Duration,
) -> Result<(Response, usize), Failure> {
    let connect = |error: io::Error| Failure {
        blame: Blame::from_io_error(&error),
        ..Failure::new(FailureKind::Connect, error.to_string())
    };
    let late = |_| Failure::new(FailureKind::Timeout, "no connection in time (fetch.connect_timeout)");
    let stream =
        timeout(connect_timeout, TcpStream::connect(socket_addr)).await.map_err(late)?.map_err(connect)?;
    stream.set_nodelay(true).map_err(connect)?;
    if !url.is_https() {
        return exchange(url, stream, headers, max_headers).await;
    }
    let name = url.host().trim_matches(['[', ']']).to_owned();
    let name =
        ServerName::try_from(name).map_err(|error| Failure::new(FailureKind::Tls, error.to_string()))?;
    let mut tls = tls.clone();
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    let handshake = TlsConnector::from(Arc::new(tls)).connect(name, stream);
    let stream = timeout(connect_timeout, handshake)
        .await
        .map_err(late)?
        .map_err(|error| Failure::from_handshake(&error))?;
    exchange(url, stream, headers, max_headers).await
}

async fn exchange(
    url: &CanonicalUrl,
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    headers: HeaderMap,
    max_headers: usize,
) -> Result<(Response, usize), Failure> {
    let broken = |error: hyper::Error| Failure::from_hyper(&error);
    let dropped = Arc::new(AtomicUsize::new(0));
    let reader = HeadReader::new(stream, max_headers, Arc::clone(&dropped));
    let (mut sender, connection) = http1::Builder::new()
        .allow_obsolete_multiline_headers_in_responses(true)
        .allow_spaces_after_header_name_in_responses(true)
        .ignore_invalid_headers_in_responses(true)
        .max_headers(max_headers.saturating_add(MAX_EXTRA_FIELDS))
        .handshake(TokioIo::new(reader))
        .await
        .map_err(broken)?;
    // The task ends with the connection, and the connection with the response.
    tokio::spawn(connection);
    let mut request = http::Request::new(Empty::<Bytes>::new());
    *request.uri_mut() = url
        .path_and_query()
        .parse()
        .map_err(|error| Failure::new(FailureKind::Protocol, format!("the request target: {error}")))?;
    *request.headers_mut() = headers;
    let fields = request.headers_mut();
    if let Ok(host) = HeaderValue::from_str(url.authority()) {
        fields.insert(header::HOST, host);
    }
    fields.insert(header::CONNECTION, HeaderValue::from_static("close"));
    let response = sender.send_request(request).await.map_err(broken)?;
    let response = response.map(reqwest::Body::wrap);
    Ok((Response::from(response), dropped.load(Ordering::Relaxed)))
}

/// Whether the HTTP client would read a chunked body as one that ends with the connection. It expects the coding at
/// the very end of the last field.
pub(super) fn hides_chunks(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::TRANSFER_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let is_chunked: Vec<bool> =
        values.flat_map(|value| value.split(',')).map(|c| c.trim().eq_ignore_ascii_case("chunked")).collect();
    is_chunked.contains(&true) && is_chunked.last() == Some(&false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_chunked_codings_are_detected() {
        for (values, hidden) in [
            (&[][..], false),
            (&["chunked"], false),
            (&["gzip, Chunked "], false),
            (&["gzip"], false),
            (&["chunked", "chunked"], false),
            (&["chunked,"], true),
            (&["chunked", "identity"], true),
        ] {
            let values =
                values.iter().map(|value| (header::TRANSFER_ENCODING, HeaderValue::from_static(value)));
            let mut headers = HeaderMap::new();
            values.for_each(|(name, value)| {
                headers.append(name, value);
            });
            assert_eq!(hides_chunks(&headers), hidden, "{headers:?}");
        }
    }
}
