//! Taking an answer's body off the wire: the ones that are wanted, as far as the limits go.
//!
//! In goes a response whose headers have been read, out come its bytes. A body is received only if somebody reads
//! it: of pages, HTML, which the type declares or, without one, the first bytes show, by the same rules as the
//! parser's. What nobody reads is left on the wire, unless it is so short that taking it off costs less than the
//! host's next connection.
//!
//! A body that comes too slowly is given up ([`Pace`]); one that is too long is cut. Encodings stay on.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::Version;
use reqwest::Response;
use tokio::time::Instant;

use super::failure::Failure;
use crate::config::FetchConfig;
use crate::model::FailureKind;
use crate::parse;

/// Which bodies are received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Html,
    /// Whatever it is.
    Any,
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
    /// Whether there was more.
    pub cut: bool,
    /// Whether it was left on the wire because nobody reads it.
    pub unread: bool,
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

/// Receives the body of a page, `encoded` or not, up to `max_bytes`, if it is HTML.
///
/// # Errors
/// [`Failure`] when it breaks off or comes too slowly.
pub(super) async fn html(
    response: &mut Response,
    content_type: Option<&str>,
    encoded: bool,
    max_bytes: usize,
    pace: Pace,
) -> Result<Received, Failure> {
    let mut receiver = Receiver::new(response, max_bytes, pace);
    let is_html = match parse::declares_html(content_type) {
        Some(declared) => declared,
        // What it begins with can be seen only when the encodings are off.
        None if encoded => true,
        None => loop {
            match parse::looks_like_html(&receiver.body) {
                Some(seen) => break seen,
                None if receiver.more().await? => {}
                None => break false,
            }
        },
    };
    match is_html {
        true => receiver.rest().await,
        false => Ok(Received { unread: true, ..Received::default() }),
    }
}

/// Receives a body up to `max_bytes`, whatever it is.
///
/// # Errors
/// As of [`html`].
pub(super) async fn any(response: &mut Response, max_bytes: usize, pace: Pace) -> Result<Received, Failure> {
    Receiver::new(response, max_bytes, pace).rest().await
}

/// Takes what is left of a body off the wire, so that the connection can be used again. Gives up, and the
/// connection with it, beyond `most` bytes or `patience`. Over HTTP/2 there is nothing to be gained.
pub(super) async fn skip(mut response: Response, most: usize, patience: Duration) {
    let too_long = response.content_length().is_some_and(|length| length > most as u64);
    if too_long || response.version() == Version::HTTP_2 {
        return;
    }
    let skipping = async {
        let mut left = most;
        while let Ok(Some(chunk)) = response.chunk().await {
            match left.checked_sub(chunk.len()) {
                Some(rest) => left = rest,
                None => return,
            }
        }
    };
    let _ = tokio::time::timeout(patience, skipping).await;
}

struct Receiver<'a> {
    response: &'a mut Response,
    body: BytesMut,
    max_bytes: usize,
    pace: Pace,
    start: Instant,
    cut: bool,
}

impl<'a> Receiver<'a> {
    fn new(response: &'a mut Response, max_bytes: usize, pace: Pace) -> Self {
        Self { response, body: BytesMut::new(), max_bytes, pace, start: Instant::now(), cut: false }
    }

    /// Receives one more piece; whether there was one and it was taken whole.
    async fn more(&mut self) -> Result<bool, Failure> {
        let chunk = match self.pace.patience(self.body.len()) {
            None => self.response.chunk().await,
            Some(patience) => tokio::time::timeout_at(self.start + patience, self.response.chunk())
                .await
                .map_err(|_| self.too_slow())?,
        };
        let Some(chunk) = chunk.map_err(Failure::from)? else { return Ok(false) };
        let room = self.max_bytes - self.body.len();
        self.body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        self.cut = chunk.len() > room;
        Ok(!self.cut)
    }

    async fn rest(mut self) -> Result<Received, Failure> {
        while !self.cut && self.more().await? {}
        Ok(Received { bytes: self.body.freeze(), cut: self.cut, unread: false })
    }

    fn too_slow(&self) -> Failure {
        let (bytes, milliseconds) = (self.body.len(), self.start.elapsed().as_millis());
        Failure::new(
            FailureKind::Timeout,
            format!(
                "{bytes} bytes of the body came in {milliseconds} ms, fewer than {} a second \
                 (fetch.min_bytes_per_second)",
                self.pace.least
            ),
        )
    }
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
