//! A connection whose response heads are rewritten before the HTTP client reads them.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::chunks::ChunkDecoder;
use super::head::{RewrittenHead, rewrite_head};

/// Maximum size of a head, in bytes, as in the HTTP client.
const MAX_HEAD_BYTES: usize = 400_000;

/// Bytes per read.
const BUFFER_BYTES: usize = 8 << 10;

/// A connection whose response heads are rewritten.
pub(super) struct HeadReader<S> {
    stream: S,
    state: ReaderState,
    max_headers: usize,
    dropped: Arc<AtomicUsize>,
}

enum ReaderState {
    /// The incomplete head.
    Head(Vec<u8>),
    /// The head is rewritten; these bytes precede those of the connection.
    Body(Bytes),
    /// The same for a chunked body: the head comes first, and `coded` holds body bytes not decoded yet.
    Chunks { head: Bytes, coded: Bytes, decoder: ChunkDecoder },
}

impl From<RewrittenHead> for ReaderState {
    fn from(RewrittenHead { mut head, rest, is_chunked }: RewrittenHead) -> Self {
        if is_chunked {
            return Self::Chunks { head: head.into(), coded: rest.into(), decoder: ChunkDecoder::default() };
        }
        head.extend(rest);
        Self::Body(head.into())
    }
}

impl<S> HeadReader<S> {
    /// Keeps at most `max_headers` header fields of a head, and adds the others to `dropped`.
    pub(super) fn new(stream: S, max_headers: usize, dropped: Arc<AtomicUsize>) -> Self {
        Self { stream, state: ReaderState::Head(Vec::new()), max_headers, dropped }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for HeadReader<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            match &mut this.state {
                ReaderState::Body(pending) if pending.is_empty() => {
                    return Pin::new(&mut this.stream).poll_read(cx, out);
                }
                ReaderState::Body(pending) => {
                    let piece = pending.split_to(pending.len().min(out.remaining()));
                    out.put_slice(&piece);
                    return Poll::Ready(Ok(()));
                }
                ReaderState::Chunks { head: data, coded, decoder } => {
                    if data.is_empty() {
                        *data = ready!(poll_chunk(&mut this.stream, cx, coded, decoder))?;
                    }
                    let piece = data.split_to(data.len().min(out.remaining()));
                    out.put_slice(&piece);
                    return Poll::Ready(Ok(()));
                }
                ReaderState::Head(bytes) => {
                    let mut piece = [0; BUFFER_BYTES];
                    let mut piece = ReadBuf::new(&mut piece);
                    ready!(Pin::new(&mut this.stream).poll_read(cx, &mut piece))?;
                    bytes.extend_from_slice(piece.filled());
                    if let Some(rewritten) = rewrite_head(bytes, this.max_headers, &this.dropped) {
                        this.state = rewritten.into();
                    } else if piece.filled().is_empty() {
                        // The connection ended within the head, which the client reports.
                        this.state = ReaderState::Body(std::mem::take(bytes).into());
                    } else if bytes.len() > MAX_HEAD_BYTES {
                        let what = format!("the head of the response is longer than {MAX_HEAD_BYTES} bytes");
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
        let mut piece = [0; BUFFER_BYTES];
        let mut piece = ReadBuf::new(&mut piece);
        match ready!(Pin::new(&mut *stream).poll_read(cx, &mut piece)) {
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => return Poll::Ready(Err(error)),
            Ok(()) if !piece.filled().is_empty() => *coded = Bytes::copy_from_slice(piece.filled()),
            _ => return Poll::Ready(Err(broken("the connection ends before the last chunk"))),
        }
    }
}
