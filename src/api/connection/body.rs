//! An answer on its way to its client: handed out in parts, so that it shows whether the client reads it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::activity::Begun;
use crate::api::admission::Client;

/// Bytes handed out at once. A client that takes less than this in `api.write_timeout` does not read.
const PART_BYTES: usize = 64 << 10;
/// The same on an HTTP/2 connection, which holds a part for each of its streams.
const STREAM_PART_BYTES: usize = 16 << 10;

/// What is kept until an answer is sent: its bytes' place in the memory of answers. Put into a response's extensions.
#[derive(Clone)]
pub struct Holds {
    pub bytes: usize,
    /// Who asked for it.
    pub client: Client,
    pub kept: Arc<dyn Send + Sync>,
}

/// The body of an answer.
pub struct AnswerBody<B> {
    body: B,
    /// What is left of a part of `body`.
    rest: Bytes,
    /// Whether the client has begun to get it, and whether all of it was handed out.
    is_begun: bool,
    is_ended: bool,
    exchange: Begun,
    _holds: Option<Holds>,
}

impl<B> AnswerBody<B> {
    pub fn new(body: B, exchange: Begun, holds: Option<Holds>) -> Self {
        exchange.note_answered(holds.as_ref().map(|holds| (holds.bytes as u64, holds.client.clone())));
        Self { body, rest: Bytes::new(), is_begun: false, is_ended: false, exchange, _holds: holds }
    }
}

/// An answer that was begun and is dropped before its end was broken off.
impl<B> Drop for AnswerBody<B> {
    fn drop(&mut self) {
        if self.is_begun && !self.is_ended {
            self.exchange.note_broken_off();
        }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for AnswerBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let is_http2 = self.exchange.is_http2();
        let most = if is_http2 { STREAM_PART_BYTES } else { PART_BYTES };
        if self.rest.is_empty() {
            let frame = match Pin::new(&mut self.body).poll_frame(context) {
                Poll::Pending => {
                    self.exchange.note_taken(false);
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
                Ok(data) if data.len() <= most => {
                    self.is_ended = self.body.is_end_stream();
                    // Of one that is short, it was noted when it began.
                    if !self.is_ended {
                        self.exchange.note_taken(true);
                    }
                    return Poll::Ready(Some(Ok(Frame::data(data))));
                }
                Ok(data) => self.rest = data,
                Err(frame) => return Poll::Ready(Some(Ok(frame))),
            }
        }
        self.exchange.note_taken(true);
        let length = self.rest.len().min(most);
        let part = self.rest.split_to(length);
        // A part in the buffer of a stream, which may stay there for long, is not to hold the whole answer.
        let part = if is_http2 { Bytes::copy_from_slice(&part) } else { part };
        self.is_ended = self.is_end_stream();
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
