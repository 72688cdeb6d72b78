//! Taking an answer's body off the wire: the ones that are wanted, as far as the limits go.
//!
//! In goes a response whose headers have been read, out come its bytes. A body is received only if somebody reads
//! it: of pages, HTML, which the type declares or the first bytes show (of a body without a type, or in XML), by the
//! same rules as the parser's. What nobody reads is left on the wire, unless it is so short that taking it off costs
//! less than the host's next connection.
//!
//! A body that comes too slowly, breaks off or is too long is cut: what has come of it is kept. One of which nothing has
//! come is a failure. A body without a length ends with its connection, over TLS also without the alert that announces
//! the end (close_notify), which many servers leave out. Encodings stay on.

use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::Version;
use http::header::{self, HeaderMap};
use reqwest::Response;
use tokio::time::Instant;

use super::body::{self, ContentEncoding, DecodeError};
use super::failure::{Failure, chain};
use super::memory::Room;
use super::protocol::ProtocolFault;
use crate::config::FetchConfig;
use crate::model::{Cut, FailureKind, MediaType};
use crate::parse;

/// Bytes of a body that are decoded to see what it begins with, and the bytes that come out at most. Decoded, they
/// are more than [`parse::looks_like_html`] looks at, unless the encoding was chosen to waste time.
const ENCODED_START: usize = 16 << 10;
const DECODED_START: usize = 16 << 10;

/// Which bodies are received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Html,
    /// Whatever it is.
    Any,
}

/// How much of a body is received, and until when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub max_bytes: usize,
    pub pace: Pace,
    /// The end of the whole fetch.
    pub deadline: Instant,
    /// Whether only the end of the connection can end the body: see [`ends_with_connection`].
    pub open_ended: bool,
}

/// What is asked of a body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Bytes a second over all of the time it has taken; 0: any.
    least: u64,
    /// The time after which that is asked.
    grace: Duration,
}

/// A body, or the part of it that was received.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Received {
    pub bytes: Bytes,
    /// Why the end is missing.
    pub cut: Option<Cut>,
    /// What exactly cut it, unless it is longer than the most.
    pub cause: String,
    /// What another protocol may mend.
    pub fault: Option<ProtocolFault>,
    /// Whether a part of it was taken off the wire, also where it is left unread.
    pub begun: bool,
    /// Whether it was left on the wire because nobody reads it.
    pub unread: bool,
    /// Its room, and how long it waited for it.
    pub room: Room,
    pub waited: Duration,
}

impl Pace {
    pub fn new(config: &FetchConfig) -> Self {
        Self { least: config.min_bytes_per_second, grace: config.slow_body_grace.0 }
    }

    /// How long so many bytes may have taken; `None`: any time.
    fn patience(&self, bytes: usize) -> Option<Duration> {
        let seconds = (bytes as u64).checked_div(self.least)?;
        Some(self.grace.max(Duration::from_secs(seconds)))
    }
}

/// Receives the body of a page, if it is HTML.
///
/// # Errors
/// [`Failure`] when nothing comes of it.
pub(super) async fn html(
    response: &mut Response,
    media_type: Option<&MediaType>,
    encodings: &[ContentEncoding],
    limits: Limits,
    room: Room,
) -> Result<Received, Failure> {
    let mut receiver = Receiver::new(response, limits, room);
    let is_html = match parse::declares_html(media_type) {
        Some(declared) => declared,
        None => loop {
            match begins_as_html(media_type, encodings, &receiver.body) {
                Some(seen) => break seen,
                None if receiver.more().await? => {}
                None => break false,
            }
        },
    };
    match is_html {
        true => receiver.rest().await,
        false => {
            let begun = !receiver.body.is_empty();
            // Of a body without a byte nothing is left unread.
            let unread = begun || receiver.response.content_length() != Some(0);
            Ok(Received { begun, unread, ..Received::default() })
        }
    }
}

/// Whether a body of which this is the beginning is HTML; `None` when there is too little of it to decide. One whose
/// encodings cannot be undone is received, so that its reader sees why.
fn begins_as_html(
    media_type: Option<&MediaType>,
    encodings: &[ContentEncoding],
    received: &[u8],
) -> Option<bool> {
    if encodings.is_empty() {
        return parse::looks_like_html(media_type, received);
    }
    let start = Bytes::copy_from_slice(&received[..received.len().min(ENCODED_START)]);
    let seen = match body::decode(encodings, &start, None, DECODED_START) {
        Ok(decoded) => parse::looks_like_html(media_type, &decoded.bytes),
        Err(DecodeError::Broken(error)) if error.kind() == io::ErrorKind::UnexpectedEof => None,
        Err(_) => Some(true),
    };
    seen.or((received.len() >= ENCODED_START).then_some(false))
}

/// Receives a body, whatever it is.
///
/// # Errors
/// As of [`html`].
pub(super) async fn any(response: &mut Response, limits: Limits, room: Room) -> Result<Received, Failure> {
    Receiver::new(response, limits, room).rest().await
}

/// Takes what is left of a body off the wire, so that the connection can be used again; tells whether the body was
/// empty. Gives up, and the connection with it, beyond `most` bytes or `patience`. Over HTTP/2 there is nothing to be
/// gained.
pub(super) async fn skip(mut response: Response, most: usize, patience: Duration) -> bool {
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

struct Receiver<'a> {
    response: &'a mut Response,
    body: BytesMut,
    limits: Limits,
    start: Instant,
    cut: Option<Cut>,
    cause: String,
    fault: Option<ProtocolFault>,
    room: Room,
    waited: Duration,
}

impl<'a> Receiver<'a> {
    fn new(response: &'a mut Response, limits: Limits, room: Room) -> Self {
        let (body, start) = (BytesMut::new(), Instant::now());
        let (cut, cause, fault, waited) = (None, String::new(), None, Duration::ZERO);
        Self { response, body, limits, start, cut, cause, fault, room, waited }
    }

    /// Receives one more piece; whether there was one and it was taken whole.
    async fn more(&mut self) -> Result<bool, Failure> {
        // What is beyond the most is never touched.
        let waited = self.room.grow(self.body.capacity().min(self.limits.max_bytes)).await;
        // The server is not to be blamed for that.
        self.waited += waited;
        self.start += waited;
        self.limits.deadline += waited;
        let Limits { max_bytes, pace, deadline, open_ended } = self.limits;
        let until =
            pace.patience(self.body.len()).map_or(deadline, |patience| deadline.min(self.start + patience));
        let chunk = match tokio::time::timeout_at(until, self.response.chunk()).await {
            Ok(Ok(Some(chunk))) => chunk,
            Ok(Ok(None)) => return Ok(false),
            Ok(Err(error)) if open_ended && is_unannounced_end(&error) => return Ok(false),
            Ok(Err(error)) => return self.break_off(Cut::Disconnect, Failure::from(error)),
            Err(_) if until == deadline => return self.break_off(Cut::Time, self.too_late()),
            Err(_) => return self.break_off(Cut::Time, self.too_slow()),
        };
        let room = max_bytes - self.body.len();
        self.body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        self.cut = (chunk.len() > room).then_some(Cut::Length);
        Ok(self.cut.is_none())
    }

    /// Keeps what has come. That is nothing if the failure is this machine's, or nothing has come.
    fn break_off(&mut self, cut: Cut, failure: Failure) -> Result<bool, Failure> {
        if self.body.is_empty() {
            return Err(failure);
        }
        // A server whose chunks are read up to here writes them as it should.
        self.fault = failure.fault.filter(|fault| *fault != ProtocolFault::Chunks);
        (self.cut, self.cause) = (Some(cut), failure.detail);
        Ok(false)
    }

    async fn rest(mut self) -> Result<Received, Failure> {
        while self.cut.is_none() && self.more().await? {}
        let Self { body, cut, cause, fault, room, waited, .. } = self;
        Ok(Received { bytes: body.freeze(), cut, cause, fault, begun: true, unread: false, room, waited })
    }

    fn too_late(&self) -> Failure {
        let bytes = self.body.len();
        Failure::new(
            FailureKind::Timeout,
            format!("no complete answer in time (fetch.timeout); {bytes} bytes of the body came"),
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

/// Whether only the end of the connection can end a body (RFC 9112, 6.3).
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
    fn a_body_has_its_grace_and_then_the_time_its_bytes_earn() {
        let pace = Pace { least: 1_000, grace: Duration::from_secs(10) };
        for (bytes, seconds) in [(0, 10), (9_999, 10), (12_000, 12), (1 << 20, 1_048)] {
            assert_eq!(pace.patience(bytes), Some(Duration::from_secs(seconds)), "{bytes}");
        }
        assert_eq!(Pace { least: 0, ..pace }.patience(0), None);
    }
}
