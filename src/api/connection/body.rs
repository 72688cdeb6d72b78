//! An answer on its way to its client: handed out in parts, so that it shows whether the client reads it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::activity::Begun;

/// Bytes handed out at once. A client that takes less than this in `api.write_timeout` does not read.
const PART_BYTES: usize = 64 << 10;

/// What is kept until an answer is sent: its bytes' place in the memory of answers. Put into a response's extensions.
#[derive(Clone)]
pub struct Holds {
    pub bytes: usize,
    pub kept: Arc<dyn Send + Sync>,
}

/// The body of an answer.
pub struct AnswerBody<B> {
    body: B,
    /// What is left of a part of `body`.
    rest: Bytes,
    exchange: Begun,
    _holds: Option<Holds>,
}

impl<B> AnswerBody<B> {
    pub fn new(body: B, exchange: Begun, holds: Option<Holds>) -> Self {
        exchange.note_answered(holds.as_ref().map_or(0, |holds| holds.bytes));
        Self { body, rest: Bytes::new(), exchange, _holds: holds }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for AnswerBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        self.exchange.note_taken();
        if self.rest.is_empty() {
            let frame = match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                None => return Poll::Ready(None),
                Some(frame) => frame?,
            };
            // Trailers go on as they are.
            match frame.into_data() {
                Ok(data) if data.len() <= PART_BYTES => return Poll::Ready(Some(Ok(Frame::data(data)))),
                Ok(data) => self.rest = data,
                Err(frame) => return Poll::Ready(Some(Ok(frame))),
            }
        }
        let length = self.rest.len().min(PART_BYTES);
        // A copy, because a slice in the connection's buffer would hold the whole answer in memory.
        let part = Bytes::copy_from_slice(&self.rest.split_to(length));
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
