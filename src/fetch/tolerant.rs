//! Requests to servers whose response heads the HTTP client refuses, although browsers read them.
//!
//! Such a server gets a connection of its own for each request. Between the connection and the HTTP client, a
//! [`HeadReader`] rewrites each response head into the form of RFC 9112:
//!
//! * the status line has one blank behind the version, and the version is `HTTP/1.1`, however it is written; so a
//!   response of HTTP/1.0 may be chunked;
//! * interim responses (1xx) are left out;
//! * lines that are no header fields are left out, folded lines are joined, control characters become blanks;
//! * the chunked coding is taken off here ([`chunks`]), wherever `Transfer-Encoding` names it;
//! * `Content-Length` lines that are no numbers, or contradict each other, are left out: the body then ends with the
//!   connection;
//! * header fields beyond `fetch.max_headers` are left out and counted, unless the crawl reads them ([`is_read`]).

mod chunks;

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use reqwest::Response;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::failure::{Blame, Failure};
use crate::model::FailureKind;
use crate::urls::CanonicalUrl;
use chunks::ChunkDecoder;

/// Bytes of a head at most, as the HTTP client itself has it.
const MOST_HEAD_BYTES: usize = 400_000;

/// Bytes that are read at once.
const PIECE: usize = 8 << 10;

/// Fields beyond `fetch.max_headers` that are kept because the crawl reads them, at most.
const MOST_READ_BEYOND: usize = 100;

/// Whether the crawl, or the HTTP client, goes by a header field: such a field is kept in any case.
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

/// One request to a server at a place; gives the response with its body unread, and how many header fields were left
/// out.
///
/// # Errors
/// [`Failure`] when no connection can be made, or what comes is no HTTP even so.
pub(super) async fn get(
    url: &CanonicalUrl,
    place: SocketAddr,
    tls: &ClientConfig,
    headers: HeaderMap,
    max_headers: usize,
    connect_timeout: Duration,
) -> Result<(Response, usize), Failure> {
    let connect = |error: io::Error| Failure {
        blame: Blame::of(&error),
        ..Failure::new(FailureKind::Connect, error.to_string())
    };
    let late = |_| Failure::new(FailureKind::Timeout, "no connection in time (fetch.connect_timeout)");
    let stream = timeout(connect_timeout, TcpStream::connect(place)).await.map_err(late)?.map_err(connect)?;
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
        .map_err(|error| Failure::of_handshake(&error))?;
    exchange(url, stream, headers, max_headers).await
}

async fn exchange(
    url: &CanonicalUrl,
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    headers: HeaderMap,
    max_headers: usize,
) -> Result<(Response, usize), Failure> {
    let broken = |error: hyper::Error| Failure::of_http(&error);
    let dropped = Arc::new(AtomicUsize::new(0));
    let reader =
        HeadReader { stream, state: State::Head(Vec::new()), max_headers, dropped: Arc::clone(&dropped) };
    let (mut sender, connection) = http1::Builder::new()
        .allow_obsolete_multiline_headers_in_responses(true)
        .allow_spaces_after_header_name_in_responses(true)
        .ignore_invalid_headers_in_responses(true)
        .max_headers(max_headers.saturating_add(MOST_READ_BEYOND))
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

/// A connection whose response heads are rewritten.
struct HeadReader<S> {
    stream: S,
    state: State,
    max_headers: usize,
    dropped: Arc<AtomicUsize>,
}

enum State {
    /// What has come of the head.
    Head(Vec<u8>),
    /// The head is rewritten; these bytes come before what the connection gives.
    Body(Bytes),
    /// The same for a chunked body: the head comes first, and what has come of the body is still coded.
    Chunks { head: Bytes, coded: Bytes, decoder: ChunkDecoder },
}

impl<S: AsyncRead + Unpin> AsyncRead for HeadReader<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            match &mut this.state {
                State::Body(pending) if pending.is_empty() => {
                    return Pin::new(&mut this.stream).poll_read(cx, out);
                }
                State::Body(pending) => {
                    let piece = pending.split_to(pending.len().min(out.remaining()));
                    out.put_slice(&piece);
                    return Poll::Ready(Ok(()));
                }
                State::Chunks { head: data, coded, decoder } => {
                    if data.is_empty() {
                        *data = ready!(poll_chunk(&mut this.stream, cx, coded, decoder))?;
                    }
                    let piece = data.split_to(data.len().min(out.remaining()));
                    out.put_slice(&piece);
                    return Poll::Ready(Ok(()));
                }
                State::Head(bytes) => {
                    let mut piece = [0; PIECE];
                    let mut piece = ReadBuf::new(&mut piece);
                    ready!(Pin::new(&mut this.stream).poll_read(cx, &mut piece))?;
                    bytes.extend_from_slice(piece.filled());
                    if let Some(rewritten) = rewrite(bytes, this.max_headers, &this.dropped) {
                        this.state = rewritten.into();
                    } else if piece.filled().is_empty() {
                        // The connection ended within the head: the client says so.
                        this.state = State::Body(std::mem::take(bytes).into());
                    } else if bytes.len() > MOST_HEAD_BYTES {
                        let what = format!("the head of the response is longer than {MOST_HEAD_BYTES} bytes");
                        return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, what)));
                    }
                }
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for HeadReader<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

/// The next data of a chunked body; empty at its end.
fn poll_chunk<S: AsyncRead + Unpin>(
    stream: &mut S,
    cx: &mut Context<'_>,
    coded: &mut Bytes,
    decoder: &mut ChunkDecoder,
) -> Poll<io::Result<Bytes>> {
    let broken = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what);
    loop {
        if let Some(data) = decoder.decode(coded).map_err(|malformed| broken(&malformed.to_string()))? {
            return Poll::Ready(Ok(data));
        }
        if decoder.is_at_end() {
            return Poll::Ready(Ok(Bytes::new()));
        }
        let mut piece = [0; PIECE];
        let mut piece = ReadBuf::new(&mut piece);
        match ready!(Pin::new(&mut *stream).poll_read(cx, &mut piece)) {
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => return Poll::Ready(Err(error)),
            Ok(()) if !piece.filled().is_empty() => *coded = Bytes::copy_from_slice(piece.filled()),
            _ => return Poll::Ready(Err(broken("the connection ends before the last chunk"))),
        }
    }
}

/// A head in the form of RFC 9112, and what has come behind it.
struct Rewritten {
    head: Vec<u8>,
    rest: Vec<u8>,
    is_chunked: bool,
}

impl From<Rewritten> for State {
    fn from(Rewritten { mut head, rest, is_chunked }: Rewritten) -> Self {
        if is_chunked {
            return Self::Chunks { head: head.into(), coded: rest.into(), decoder: ChunkDecoder::default() };
        }
        head.extend(rest);
        Self::Body(head.into())
    }
}

/// The final head, rewritten; `None` while it is not whole. Interim responses are taken off the front.
fn rewrite(bytes: &mut Vec<u8>, max_headers: usize, dropped: &AtomicUsize) -> Option<Rewritten> {
    loop {
        let end = end_of_head(bytes)?;
        let mut lines = bytes[..end].split(|&b| b == b'\n').map(without_crs);
        let Some(status) = lines.find(|line| !line.is_empty()).and_then(status) else {
            return Some(Rewritten { head: std::mem::take(bytes), rest: Vec::new(), is_chunked: false });
        };
        if (100..=199).contains(&status) && status != 101 {
            bytes.drain(..end);
            continue;
        }
        let mut fields = header_fields(lines);
        let is_chunked = take_chunked(&mut fields);
        let mut head = format!("HTTP/1.1 {status:03}\r\n").into_bytes();
        let mut kept = 0;
        for (name, value) in fields {
            let has_room = kept < max_headers || (is_read(&name) && kept < max_headers + MOST_READ_BEYOND);
            if !has_room {
                dropped.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            kept += 1;
            head.extend([&name, &b": "[..], &value, b"\r\n"].concat());
        }
        head.extend(b"\r\n");
        return Some(Rewritten { head, rest: bytes[end..].to_vec(), is_chunked });
    }
}

/// Where a head ends: behind the first empty line that follows another line.
fn end_of_head(bytes: &[u8]) -> Option<usize> {
    let start = bytes.iter().position(|b| !matches!(b, b'\r' | b'\n'))?;
    let mut line_start = start;
    while let Some(length) = bytes[line_start..].iter().position(|&b| b == b'\n') {
        let line = &bytes[line_start..line_start + length];
        line_start += length + 1;
        if without_crs(line).is_empty() {
            return Some(line_start);
        }
    }
    None
}

/// A line without the carriage returns at its end.
fn without_crs(line: &[u8]) -> &[u8] {
    let end = line.iter().rposition(|&b| b != b'\r').map_or(0, |last| last + 1);
    &line[..end]
}

/// The status of a status line, whatever case and blanks it has.
fn status(line: &[u8]) -> Option<u16> {
    let line = line.trim_ascii_start();
    let version = line.get(..5).filter(|version| version.eq_ignore_ascii_case(b"HTTP/"))?.len();
    let blank = line.iter().position(|b| matches!(b, b' ' | b'\t')).filter(|&blank| blank > version)?;
    let rest = line[blank..].trim_ascii_start();
    let digits = rest.get(..3).filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
    let ends = rest.get(3).is_none_or(|next| !next.is_ascii_digit());
    let status = digits.iter().fold(0, |number, digit| number * 10 + u16::from(digit - b'0'));
    (ends && status >= 100).then_some(status)
}

type Field = (Vec<u8>, Vec<u8>);

fn header_fields<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Vec<Field> {
    let mut fields: Vec<Field> = Vec::new();
    for line in lines.filter(|line| !line.is_empty()) {
        if let (true, Some((_, value))) = (line[0].is_ascii_whitespace(), fields.last_mut()) {
            value.push(b' ');
            value.extend(field_value(line));
            continue;
        }
        let Some(colon) = line.iter().position(|&b| b == b':') else { continue };
        let name = line[..colon].trim_ascii();
        if HeaderName::from_bytes(name).is_ok() {
            fields.push((name.to_vec(), field_value(&line[colon + 1..])));
        }
    }
    if !has_usable_length(&fields) {
        fields.retain(|(name, _)| !name.eq_ignore_ascii_case(b"content-length"));
    }
    fields
}

/// Takes the chunked coding out of the fields that name it, and with it `Content-Length` (RFC 9112, 6.3); tells whether
/// one did.
fn take_chunked(fields: &mut Vec<Field>) -> bool {
    let mut is_chunked = false;
    for (_, value) in fields.iter_mut().filter(|(name, _)| name.eq_ignore_ascii_case(b"transfer-encoding")) {
        let codings = value.split(|&b| b == b',').map(<[u8]>::trim_ascii);
        let (chunked, others): (Vec<&[u8]>, Vec<&[u8]>) = codings
            .filter(|coding| !coding.is_empty())
            .partition(|coding| coding.eq_ignore_ascii_case(b"chunked"));
        is_chunked |= !chunked.is_empty();
        *value = others.join(&b", "[..]);
    }
    if is_chunked {
        fields.retain(|(name, value)| {
            let is_coding = name.eq_ignore_ascii_case(b"transfer-encoding");
            !(name.eq_ignore_ascii_case(b"content-length") || is_coding && value.is_empty())
        });
    }
    is_chunked
}

/// Whether the HTTP client takes a chunked body for one that ends with the connection: it looks for the coding at the
/// very end of the last field.
pub(super) fn hides_chunks(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::TRANSFER_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let is_chunked: Vec<bool> =
        values.flat_map(|value| value.split(',')).map(|c| c.trim().eq_ignore_ascii_case("chunked")).collect();
    is_chunked.contains(&true) && is_chunked.last() == Some(&false)
}

fn field_value(bytes: &[u8]) -> Vec<u8> {
    let is_control = |b: &u8| (*b < b' ' && *b != b'\t') || *b == 0x7f;
    bytes.trim_ascii().iter().map(|b| if is_control(b) { b' ' } else { *b }).collect()
}

/// Whether all `Content-Length` fields are one and the same number.
fn has_usable_length(fields: &[Field]) -> bool {
    let lengths = fields.iter().filter(|(name, _)| name.eq_ignore_ascii_case(b"content-length"));
    let mut numbers = lengths.flat_map(|(_, value)| value.split(|&b| b == b',')).map(|number| {
        let digits = number.trim_ascii();
        let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
        std::str::from_utf8(digits).ok().filter(|_| is_number).and_then(|digits| digits.parse::<u64>().ok())
    });
    let Some(first) = numbers.next() else { return true };
    first.is_some() && numbers.all(|number| number == first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(head: &str, max_headers: usize) -> (Option<String>, usize) {
        let dropped = AtomicUsize::new(0);
        let rewritten = rewrite(&mut head.as_bytes().to_vec(), max_headers, &dropped);
        let whole = |Rewritten { head, rest, .. }| String::from_utf8([head, rest].concat()).unwrap();
        (rewritten.map(whole), dropped.into_inner())
    }

    #[test]
    fn heads_get_the_form_of_the_standard() {
        for (head, form) in [
            ("HTTP/1.1  200  OK\r\nA: b\r\n\r\nbody", "HTTP/1.1 200\r\nA: b\r\n\r\nbody"),
            ("http/1.1 200 OK\nA: b\n\nbody", "HTTP/1.1 200\r\nA: b\r\n\r\nbody"),
            ("\r\nHTTP/1.0\t404\r\n\r\n", "HTTP/1.1 404\r\n\r\n"),
            ("HTTP/1.1 200OK\r\n\r\n", "HTTP/1.1 200\r\n\r\n"),
            (
                "HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 100\r\n\r\nHTTP/1.1 200\r\n\r\n",
                "HTTP/1.1 200\r\n\r\n",
            ),
            ("HTTP/1.1 200 OK\r\nA : b\r\n c\r\nnone\r\nb@d: x\r\n\r\n", "HTTP/1.1 200\r\nA: b c\r\n\r\n"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", "HTTP/1.1 200\r\n\r\n"),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n",
                "HTTP/1.1 200\r\nContent-Length: 5, 5\r\n\r\n",
            ),
            ("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", "HTTP/1.1 200\r\n\r\n"),
            ("HTTP/1.1 200 OK\r\r\nA: b\r\r\n\r\r\nbody", "HTTP/1.1 200\r\nA: b\r\n\r\nbody"),
            (
                "HTTP/1.0 200 OK\r\nTransfer-Encoding: gzip, Chunked,\r\nContent-Length: 5\r\n\r\n4",
                "HTTP/1.1 200\r\nTransfer-Encoding: gzip\r\n\r\n4",
            ),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n", "HTTP/1.1 200\r\n\r\n"),
            ("GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\n\r\n"),
            ("HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n"),
        ] {
            assert_eq!(rewritten(head, 10), (Some(form.to_owned()), 0), "{head:?}");
        }
        assert_eq!(rewritten("HTTP/1.1 200 OK\r\nA: b\r\n", 10), (None, 0));
        assert_eq!(rewritten("HTTP/1.1 100 Go on\r\n\r\nHTTP/1.1 200", 10), (None, 0));
    }

    #[test]
    fn fields_beyond_the_most_are_left_out_unless_they_are_read() {
        let head = "HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\nContent-Type: text/html\r\n\r\nx";
        let kept = "HTTP/1.1 200\r\nA: 1\r\nB: 2\r\nContent-Type: text/html\r\n\r\nx";
        assert_eq!(rewritten(head, 2), (Some(kept.to_owned()), 2));
    }

    #[test]
    fn chunks_that_the_client_does_not_see_are_told() {
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
