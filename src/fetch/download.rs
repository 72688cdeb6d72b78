//! Downloads the body of a response, within limits.
//!
//! The input is a response whose headers have been read; the output is its body. Of pages, only HTML bodies are
//! downloaded. The media type declares HTML, or the first bytes show it (without a type, or in XML), by the same
//! rules as in the parser. Any other body is left on the wire, unless it is so short that draining it is cheaper than
//! a new connection to the host.
//!
//! A body that is too slow, breaks off or is too long is cut, and its first part is kept. Without a first byte, that
//! is a failure. A body without a length ends with its connection; over TLS also without the closing alert
//! (close_notify), which many servers omit. Content encodings stay on.

use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::Version;
use http::header::{self, HeaderMap};
use reqwest::Response;
use tokio::time::Instant;

use super::decode::{self, ContentEncoding, DecodeError};
use super::error_chain::chain;
use super::failure::Failure;
use super::memory::Reservation;
use super::protocol::ProtocolFault;
use crate::config::FetchConfig;
use crate::model::{Cut, FailureKind, MediaType};
use crate::sniff;

/// Bytes of a body that are decoded for sniffing, and the maximum output. The output is more than
/// [`sniff::looks_like_html`] inspects, unless the encoding is chosen to waste time.
const ENCODED_START: usize = 16 << 10;
const DECODED_START: usize = 16 << 10;

/// Which bodies to download.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyFilter {
    Html,
    /// A body of any type.
    Any,
}

/// The limits of a download.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub max_bytes: usize,
    pub pace: MinRate,
    /// The end of the whole fetch.
    pub deadline: Instant,
    /// Whether the body ends with the connection: see [`ends_with_connection`].
    pub open_ended: bool,
}

/// The minimum rate of a body.
#[derive(Clone, Copy, Debug)]
pub(super) struct MinRate {
    /// Bytes per second, averaged over the whole download; 0: no minimum.
    least: u64,
    /// The time after which the minimum applies.
    grace: Duration,
}

/// A body, or the downloaded part of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct DownloadedBody {
    pub bytes: Bytes,
    /// Why the end is missing.
    pub cut: Option<Cut>,
    /// The cause of the cut, unless the body is longer than the maximum.
    pub cause: String,
    /// The fault, if another protocol may avoid it.
    pub fault: Option<ProtocolFault>,
    /// Whether a part of the body was read, even if the rest is left unread.
    pub begun: bool,
    /// Whether the body was left on the wire because it is not needed.
    pub unread: bool,
    /// Its memory, and the time spent waiting for that.
    pub reservation: Reservation,
    pub waited: Duration,
}

impl MinRate {
    pub(super) fn new(config: &FetchConfig) -> Self {
        Self { least: config.min_bytes_per_second, grace: config.slow_body_grace.0 }
    }

    /// The allowed time for this many bytes; `None`: no limit.
    fn allowed_time(&self, bytes: usize) -> Option<Duration> {
        let seconds = (bytes as u64).checked_div(self.least)?;
        Some(self.grace.max(Duration::from_secs(seconds)))
    }
}

/// Downloads the body of a page, if it is HTML.
///
/// # Errors
/// [`Failure`] when no part of the body arrives.
pub(super) async fn html(
    response: &mut Response,
    media_type: Option<&MediaType>,
    encodings: &[ContentEncoding],
    limits: Limits,
    reservation: Reservation,
) -> Result<DownloadedBody, Failure> {
    let mut reader = BodyReader::new(response, limits, reservation);
    let is_html = match sniff::declares_html(media_type) {
        Some(declared) => declared,
        None => loop {
            match begins_as_html(media_type, encodings, &reader.body) {
                Some(seen) => break seen,
                None if reader.read_chunk().await? => {}
                None => break false,
            }
        },
    };
    match is_html {
        true => reader.read_rest().await,
        false => {
            let begun = !reader.body.is_empty();
            // An empty body leaves nothing unread.
            let unread = begun || reader.response.content_length() != Some(0);
            Ok(DownloadedBody { begun, unread, ..DownloadedBody::default() })
        }
    }
}

/// Whether a body is HTML, by its start; `None` when the start is too short to decide. A body with an undecodable
/// encoding is downloaded, so that its reader can report the error.
fn begins_as_html(
    media_type: Option<&MediaType>,
    encodings: &[ContentEncoding],
    received: &[u8],
) -> Option<bool> {
    if encodings.is_empty() {
        return sniff::looks_like_html(media_type, received);
    }
    let start = Bytes::copy_from_slice(&received[..received.len().min(ENCODED_START)]);
    let seen = match decode::decode(encodings, &start, None, DECODED_START) {
        Ok(decoded) => sniff::looks_like_html(media_type, &decoded.bytes),
        Err(DecodeError::Broken(error)) if error.kind() == io::ErrorKind::UnexpectedEof => None,
        Err(_) => Some(true),
    };
    seen.or((received.len() >= ENCODED_START).then_some(false))
}

/// Downloads a body of any type.
///
/// # Errors
/// As of [`html`].
pub(super) async fn any(
    response: &mut Response,
    limits: Limits,
    reservation: Reservation,
) -> Result<DownloadedBody, Failure> {
    BodyReader::new(response, limits, reservation).read_rest().await
}

/// Reads the rest of a body, so that the connection can be reused. Returns whether the body was empty. Beyond `most`
/// bytes or `patience` it gives up, and the connection closes. Over HTTP/2 draining has no benefit.
pub(super) async fn drain(mut response: Response, most: usize, patience: Duration) -> bool {
    let too_long = response.content_length().is_some_and(|length| length > most as u64);
    if too_long || response.version() == Version::HTTP_2 {
        return false;
    }
    let skipping = async {
        let mut left = most;
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) => match left.checked_sub(chunk.len()) {
                    Some(rest) => left = rest,
                    None => return false,
                },
                Ok(None) => return left == most,
                Err(_) => return false,
            }
        }
    };
    tokio::time::timeout(patience, skipping).await.unwrap_or(false)
}

struct BodyReader<'a> {
    response: &'a mut Response,
    body: BytesMut,
    limits: Limits,
    start: Instant,
    cut: Option<Cut>,
    cause: String,
    fault: Option<ProtocolFault>,
    reservation: Reservation,
    waited: Duration,
}

impl<'a> BodyReader<'a> {
    fn new(response: &'a mut Response, limits: Limits, reservation: Reservation) -> Self {
        let (body, start) = (BytesMut::new(), Instant::now());
        let (cut, cause, fault, waited) = (None, String::new(), None, Duration::ZERO);
        Self { response, body, limits, start, cut, cause, fault, reservation, waited }
    }

    /// Reads one more chunk. Returns whether there was one and it fitted.
    async fn read_chunk(&mut self) -> Result<bool, Failure> {
        // Chunks beyond the maximum are never stored.
        let waited = self.reservation.grow(self.body.capacity().min(self.limits.max_bytes)).await;
        // The wait for memory does not count against the server.
        self.waited += waited;
        self.start += waited;
        self.limits.deadline += waited;
        let Limits { max_bytes, pace, deadline, open_ended } = self.limits;
        let until = pace
            .allowed_time(self.body.len())
            .map_or(deadline, |patience| deadline.min(self.start + patience));
        let chunk = match tokio::time::timeout_at(until, self.response.chunk()).await {
            Ok(Ok(Some(chunk))) => chunk,
            Ok(Ok(None)) => return Ok(false),
            Ok(Err(error)) if open_ended && is_unannounced_end(&error) => return Ok(false),
            Ok(Err(error)) => return self.cut_off(Cut::Disconnect, Failure::from(error)),
            Err(_) if until == deadline => return self.cut_off(Cut::Time, self.too_late()),
            Err(_) => return self.cut_off(Cut::Time, self.too_slow()),
        };
        let room = max_bytes - self.body.len();
        self.body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        self.cut = (chunk.len() > room).then_some(Cut::Length);
        Ok(self.cut.is_none())
    }

    /// Ends the body with a cut. Fails if nothing has been received.
    fn cut_off(&mut self, cut: Cut, failure: Failure) -> Result<bool, Failure> {
        if self.body.is_empty() {
            return Err(failure);
        }
        // The chunked coding was correct up to this point.
        self.fault = failure.fault.filter(|fault| *fault != ProtocolFault::Chunks);
        (self.cut, self.cause) = (Some(cut), failure.detail);
        Ok(false)
    }

    async fn read_rest(mut self) -> Result<DownloadedBody, Failure> {
        while self.cut.is_none() && self.read_chunk().await? {}
        let Self { body, cut, cause, fault, reservation, waited, .. } = self;
        Ok(DownloadedBody {
            bytes: body.freeze(),
            cut,
            cause,
            fault,
            begun: true,
            unread: false,
            reservation,
            waited,
        })
    }

    fn too_late(&self) -> Failure {
        let bytes = self.body.len();
        Failure::new(
            FailureKind::Timeout,
            format!("no complete response in time (fetch.timeout); {bytes} bytes of the body came"),
        )
    }

    fn too_slow(&self) -> Failure {
        let (bytes, milliseconds) = (self.body.len(), self.start.elapsed().as_millis());
        Failure::new(
            FailureKind::Timeout,
            format!(
                "{bytes} bytes of the body came in {milliseconds} ms, fewer than {} a second \
                 (fetch.min_bytes_per_second)",
                self.limits.pace.least
            ),
        )
    }
}

/// Whether the body ends with the connection (RFC 9112, 6.3).
pub(super) fn ends_with_connection(version: Version, headers: &HeaderMap) -> bool {
    version != Version::HTTP_2
        && !headers.contains_key(header::CONTENT_LENGTH)
        && !headers.contains_key(header::TRANSFER_ENCODING)
}

/// Whether TLS ended without close_notify.
fn is_unannounced_end(error: &reqwest::Error) -> bool {
    let is_end = |error: &io::Error| error.kind() == io::ErrorKind::UnexpectedEof;
    chain(error).any(|error| error.downcast_ref().is_some_and(is_end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_allowed_time_grows_with_the_bytes_after_the_grace() {
        let pace = MinRate { least: 1_000, grace: Duration::from_secs(10) };
        for (bytes, seconds) in [(0, 10), (9_999, 10), (12_000, 12), (1 << 20, 1_048)] {
            assert_eq!(pace.allowed_time(bytes), Some(Duration::from_secs(seconds)), "{bytes}");
        }
        assert_eq!(MinRate { least: 0, ..pace }.allowed_time(0), None);
    }
}
