//! A TCP stream that records reads and writes in the state of its connection.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::ConnectionState;

/// The start of an HTTP/2 connection (RFC 9113, section 3.4), as much as distinguishes it from HTTP/1.
const PREFACE: &[u8] = b"PRI * HTTP/2";

/// A TCP stream that records when bytes arrive and when writes block.
pub(super) struct ObservedStream {
    stream: TcpStream,
    connection: Arc<ConnectionState>,
    is_first_read: bool,
}

impl ObservedStream {
    pub(super) fn new(stream: TcpStream, connection: Arc<ConnectionState>) -> Self {
        Self { stream, connection, is_first_read: true }
    }
}

/// Resets a connection with a truncated response. A response without a length, as over HTTP/1.0, would look complete
/// after an orderly close.
impl Drop for ObservedStream {
    fn drop(&mut self) {
        if self.connection.is_broken_off() {
            let _ = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
        }
    }
}

impl AsyncRead for ObservedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let bytes = &buffer.filled()[before..];
        if !bytes.is_empty() {
            let is_http2 = std::mem::replace(&mut self.is_first_read, false)
                && (bytes.starts_with(PREFACE) || PREFACE.starts_with(bytes));
            self.connection.record_read(is_http2);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ObservedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.connection.record_write(written.is_pending());
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.connection.record_write(written.is_pending());
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
