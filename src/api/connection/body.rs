//! An answer on its way to its client: handed out in parts, so that it shows whether the client reads it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::activity::Begun;
use crate::api::admission::Client;

/// Bytes handed out at once of an answer over HTTP/2, whose connection holds a part for each of its streams.
const STREAM_PART_BYTES: usize = 16 << 10;
/// Bytes of an answer over HTTP/1 up to which it fits the buffers of the operating system: its client need not be waited
/// for.
const SHORT_BYTES: usize = 4 << 10;

/// What is kept until an answer is sent: its bytes' place in the memory of answers. Put into a response's extensions.
#[derive(Clone)]
pub struct Holds {
    pub bytes: usize,
    /// Who asked for it.
    pub client: Client,
    pub kept: Arc<dyn Send + Sync>,
}

/// The body of an answer.
///
/// Over HTTP/1 it is handed out as it is made: the connection takes as much as the client reads and keeps the rest, which
/// keeps the exchange open. Over HTTP/2 the connection takes all that it is given, so it is given little at once.
pub struct AnswerBody<B> {
    body: B,
    is_http2: bool,
    /// What is left of a part of `body`, over HTTP/2.
    rest: Bytes,
    /// Whether the client has begun to get it, and whether all of it was handed out.
    is_begun: bool,
    is_ended: bool,
    sending: Option<Sending>,
}

/// The exchange of an answer, and what is kept until it is sent.
struct Sending {
    exchange: Begun,
    _holds: Option<Holds>,
}

/// The last bytes of an answer, which keep all that until they are sent.
struct LastBytes {
    bytes: Bytes,
    _sending: Option<Sending>,
}

impl AsRef<[u8]> for LastBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl<B> AnswerBody<B> {
    pub fn new(body: B, exchange: Begun, holds: Option<Holds>) -> Self {
        exchange.note_answered(holds.as_ref().map(|holds| (holds.bytes as u64, holds.client.clone())));
        let is_http2 = exchange.is_http2();
        let sending = Some(Sending { exchange, _holds: holds });
        Self { body, is_http2, rest: Bytes::new(), is_begun: false, is_ended: false, sending }
    }

    fn note_taken(&self, is_offered: bool) {
        if let Some(sending) = &self.sending {
            sending.exchange.note_taken(is_offered);
        }
    }
}

/// An answer that was begun and is dropped before its end was broken off.
impl<B> Drop for AnswerBody<B> {
    fn drop(&mut self) {
        if let (Some(sending), true, false) = (&self.sending, self.is_begun, self.is_ended) {
            sending.exchange.note_broken_off();
        }
    }
}

impl<B: Body<Data = Bytes> + Unpin> AnswerBody<B> {
    /// The next bytes over HTTP/1.
    fn whole(&mut self, data: Bytes) -> Bytes {
        self.is_ended = self.body.is_end_stream();
        if self.is_ended && data.len() < SHORT_BYTES {
            return data;
        }
        self.note_taken(true);
        if !self.is_ended {
            return data;
        }
        Bytes::from_owner(LastBytes { bytes: data, _sending: self.sending.take() })
    }

    /// The next bytes over HTTP/2. In the buffer of a stream, where they may stay for long, they are not to hold the whole
    /// answer.
    fn part(&mut self) -> Bytes {
        self.note_taken(true);
        let part = self.rest.split_to(self.rest.len().min(STREAM_PART_BYTES));
        self.is_ended = self.is_end_stream();
        Bytes::copy_from_slice(&part)
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for AnswerBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        if self.rest.is_empty() {
            let frame = match Pin::new(&mut self.body).poll_frame(context) {
                Poll::Pending => {
                    self.note_taken(false);
                    return Poll::Pending;
                }
                Poll::Ready(None) => {
                    self.is_ended = true;
                    return Poll::Ready(None);
                }
                Poll::Ready(Some(frame)) => frame?,
            };
            self.is_begun = true;
            // Trailers go on as they are.
            match frame.into_data() {
                Ok(data) if !self.is_http2 => {
                    let data = self.whole(data);
                    return Poll::Ready(Some(Ok(Frame::data(data))));
                }
                Ok(data) => self.rest = data,
                Err(frame) => return Poll::Ready(Some(Ok(frame))),
            }
        }
        let part = self.part();
        Poll::Ready(Some(Ok(Frame::data(part))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (rest, body) = (self.rest.len() as u64, self.body.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(body.lower() + rest);
        if let Some(upper) = body.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}
