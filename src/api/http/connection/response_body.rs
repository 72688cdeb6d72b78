//! Response bodies on their way to the client. They are handed out in parts, which shows whether the client reads.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use super::exchange::ExchangeGuard;
use crate::api::http::admission::Client;

/// The number of bytes that are handed out at once over HTTP/2, whose connection buffers a part for each stream.
const HTTP2_CHUNK_BYTES: usize = 16 << 10;
/// Over HTTP/1, a shorter response fits the buffers of the operating system, so the client need not be waited for.
const MAX_UNTRACKED_BYTES: usize = 4 << 10;

/// The memory of a response, held until the response is sent. Stored in the extensions of the response.
#[derive(Clone)]
pub struct HeldMemory {
    pub bytes: usize,
    /// The client that it is charged to.
    pub client: Client,
    pub memory: Arc<dyn Send + Sync>,
}

/// The body of a response.
///
/// Over HTTP/1 it is handed out as it is computed. The connection takes as much as the client reads and keeps the rest,
/// which keeps the exchange open. Over HTTP/2 the connection takes everything it is given, so it is given little at
/// once.
#[expect(unreachable_pub, reason = "the output of a public future is public")]
pub struct ResponseBody<B> {
    body: B,
    is_http2: bool,
    /// Over HTTP/2, the bytes of the current frame that were not handed out yet.
    remainder: Bytes,
    /// The bytes that the body has yet to give, if the response says how many they are. The connection then asks for
    /// no more, so that the body does not get to its end.
    missing: Option<u64>,
    /// Whether bytes were handed out, and whether all were.
    is_started: bool,
    is_finished: bool,
    hold: Option<ExchangeHold>,
}

/// The exchange of a response and its memory, both held until the response is sent.
struct ExchangeHold {
    exchange: ExchangeGuard,
    _held: Option<HeldMemory>,
}

/// The last bytes of a response. They hold the exchange and the memory until they are sent.
struct LastBytes {
    bytes: Bytes,
    _hold: Option<ExchangeHold>,
}

impl AsRef<[u8]> for LastBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl<B> ResponseBody<B> {
    pub(crate) fn new(
        body: B,
        length: Option<u64>,
        exchange: ExchangeGuard,
        held: Option<HeldMemory>,
    ) -> Self {
        exchange.mark_response_started(held.as_ref().map(|held| (held.bytes as u64, held.client.clone())));
        let is_http2 = exchange.is_http2();
        let hold = Some(ExchangeHold { exchange, _held: held });
        let (remainder, missing) = (Bytes::new(), length);
        Self { body, is_http2, remainder, missing, is_started: false, is_finished: false, hold }
    }

    fn record_progress(&self, is_offered: bool) {
        if let Some(hold) = &self.hold {
            hold.exchange.record_progress(is_offered);
        }
    }
}

/// A response that is dropped after its start and before its end is broken off.
impl<B> Drop for ResponseBody<B> {
    fn drop(&mut self) {
        if let (Some(hold), true, false) = (&self.hold, self.is_started, self.is_finished) {
            hold.exchange.mark_broken_off();
        }
    }
}

impl<B: Body<Data = Bytes> + Unpin> ResponseBody<B> {
    /// Returns the next bytes over HTTP/1.
    fn http1_chunk(&mut self, data: Bytes) -> Bytes {
        self.is_finished = self.is_end_stream();
        if self.is_finished && data.len() < MAX_UNTRACKED_BYTES {
            return data;
        }
        self.record_progress(true);
        if !self.is_finished {
            return data;
        }
        Bytes::from_owner(LastBytes { bytes: data, _hold: self.hold.take() })
    }

    /// Returns the next bytes over HTTP/2. They are copied, because they may stay in the buffer of a stream for long
    /// and must not keep the whole response in memory.
    fn http2_chunk(&mut self) -> Bytes {
        self.record_progress(true);
        let chunk = self.remainder.split_to(self.remainder.len().min(HTTP2_CHUNK_BYTES));
        self.is_finished = self.is_end_stream();
        Bytes::copy_from_slice(&chunk)
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for ResponseBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        if self.remainder.is_empty() {
            let frame = match Pin::new(&mut self.body).poll_frame(context) {
                Poll::Pending => {
                    self.record_progress(false);
                    return Poll::Pending;
                }
                Poll::Ready(None) => {
                    self.is_finished = true;
                    return Poll::Ready(None);
                }
                Poll::Ready(Some(frame)) => frame?,
            };
            self.is_started = true;
            if let (Some(missing), Some(data)) = (&mut self.missing, frame.data_ref()) {
                *missing = missing.saturating_sub(data.len() as u64);
            }
            // Trailers pass unchanged.
            match frame.into_data() {
                Ok(data) if !self.is_http2 => {
                    let data = self.http1_chunk(data);
                    return Poll::Ready(Some(Ok(Frame::data(data))));
                }
                Ok(data) => self.remainder = data,
                Err(frame) => return Poll::Ready(Some(Ok(frame))),
            }
        }
        let chunk = self.http2_chunk();
        Poll::Ready(Some(Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        self.remainder.is_empty() && (self.missing == Some(0) || self.body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        let (remainder, body) = (self.remainder.len() as u64, self.body.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(body.lower() + remainder);
        if let Some(upper) = body.upper() {
            hint.set_upper(upper + remainder);
        }
        hint
    }
}
