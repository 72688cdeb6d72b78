//! Accepts connections and serves each one, until the server shuts down.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::rt::Executor;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, Interval, MissedTickBehavior};
use tower_service::Service;

use super::observed_stream::ObservedStream;
use super::registry::AdmittedConnection;
use super::request::{ConnectionContext, ConnectionService, STREAM_END};
use super::state::ConnectionPhase;
use super::timeouts::ConnectionTimeouts;
use super::{ConnectionState, Connections, CutReason};

/// The pause between two attempts to accept when the system has no more open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// After shutdown begins: how soon a connection without a complete request is closed, and how often connections are
/// checked.
const DRAIN_CHECK_INTERVAL: Duration = Duration::from_millis(100);

/// The limit of bytes that are read ahead on a connection, and of bytes that wait to be sent. The head of a request
/// with the longest query fits.
const BUFFER_BYTES: usize = 128 << 10;

/// The limit of bytes that wait to be sent on one stream of an HTTP/2 connection.
const STREAM_BUFFER_BYTES: usize = 16 << 10;

/// How often a silent HTTP/2 client is pinged, and how long it may take to reply.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// The response to a client that is refused for lack of places, before its connection is closed.
const REFUSAL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 1\r\n\
    Connection: close\r\nContent-Length: 80\r\n\r\n\
    {\"status\":503,\"error\":\"too many connections are open; close some, or try again\"}";

/// Serves connections until `shutdown` completes, and then waits up to `api.drain` for pending responses.
pub(crate) async fn serve<S>(
    listener: TcpListener,
    context: ConnectionContext<S>,
    shutdown: impl Future<Output = ()>,
) where
    S: Service<Request<Incoming>, Response = warp::reply::Response, Error = Infallible>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send,
{
    let context = Arc::new(context);
    let mut tasks = JoinSet::new();
    let timeouts = ConnectionTimeouts::new(&context.config);
    let mut timer = interval(timeouts.check_interval());
    let mut shutdown = pin!(shutdown);
    for number in 1.. {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = tasks.join_next() => continue,
            _ = timer.tick() => {
                context.connections.check_timeouts(&timeouts);
                continue;
            }
            () = &mut shutdown => break,
        };
        match accepted {
            Ok((stream, peer)) => match context.connections.admit(number, peer.ip()) {
                Ok(admitted) => drop(tasks.spawn(serve_connection(stream, peer, admitted, context.clone()))),
                Err(reason) => refuse(&stream, reason, &context.connections),
            },
            Err(error) if is_resource_exhaustion(&error) => {
                context.connections.count_cut(CutReason::Files);
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
            // The client disconnected before it was accepted.
            Err(_) => {}
        }
    }
    drop(listener);
    drain(&context, tasks, &timeouts).await;
}

/// Answers a client that gets no connection.
fn refuse(stream: &TcpStream, reason: CutReason, connections: &Connections) {
    connections.count_cut(reason);
    // Neither call waits for the client. The read is necessary because the system resets a connection that is closed
    // with unread bytes, and the response would be lost.
    let _ = stream.try_read(&mut [0; 4_096]);
    let _ = stream.try_write(REFUSAL);
}

/// Waits up to `api.drain` for pending responses.
async fn drain<S>(context: &ConnectionContext<S>, mut tasks: JoinSet<()>, timeouts: &ConnectionTimeouts) {
    context.connections.drain();
    let drained = async {
        // The first check comes after a moment in which idle connections close by themselves.
        let mut timer = tokio::time::interval_at(Instant::now() + DRAIN_CHECK_INTERVAL, DRAIN_CHECK_INTERVAL);
        while !tasks.is_empty() {
            tokio::select! {
                _ = tasks.join_next() => {}
                _ = timer.tick() => context.connections.check_timeouts(timeouts),
            }
        }
    };
    if tokio::time::timeout(context.config.drain.0, drained).await.is_err() {
        tracing::warn!("pending responses were cut off after api.drain");
    }
}

/// Whether the system lacks a resource for another connection.
fn is_resource_exhaustion(error: &std::io::Error) -> bool {
    use rustix::io::Errno;
    let codes = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM].map(Errno::raw_os_error);
    error.raw_os_error().is_some_and(|code| codes.contains(&code))
}

/// Runs the tasks of HTTP/2 streams, so that each can be aborted by itself.
#[derive(Clone)]
struct StreamExecutor;

impl<F: Future + Send + 'static> Executor<F> for StreamExecutor {
    fn execute(&self, stream: F) {
        let end = Arc::new(Notify::new());
        tokio::spawn(STREAM_END.scope(Arc::clone(&end), async move {
            tokio::select! {
                _ = stream => {}
                () = end.notified() => {}
            }
        }));
    }
}

/// Serves one connection to its end.
async fn serve_connection<S>(
    stream: TcpStream,
    peer: SocketAddr,
    admitted: AdmittedConnection,
    context: Arc<ConnectionContext<S>>,
) where
    S: Service<Request<Incoming>, Response = warp::reply::Response, Error = Infallible>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send,
{
    // Short responses are written in one piece, so delaying them to collect more bytes would only cost time.
    let _ = stream.set_nodelay(true);
    // If the system refuses the size, its default applies.
    let _ = SockRef::from(&stream).set_send_buffer_size(context.config.send_buffer_bytes);
    let state = Arc::clone(&admitted.state);
    let builder = http_builder(context.config.max_requests_per_connection);
    let service = ConnectionService::new(&context, peer, &state);
    let io = TokioIo::new(ObservedStream::new(stream, Arc::clone(&state)));
    let mut serving = pin!(builder.serve_connection(io, service));
    // Dropped before the connection, which reads the mark.
    let _broken_off = BreakOffGuard(Arc::clone(&state));
    let mut is_draining = false;
    poll_fn(|task| {
        match state.phase(task) {
            ConnectionPhase::Open => {}
            ConnectionPhase::Closing => return Poll::Ready(()),
            ConnectionPhase::Draining if is_draining => {}
            ConnectionPhase::Draining => {
                is_draining = true;
                serving.as_mut().graceful_shutdown();
            }
        }
        // Errors of the client are not reported.
        serving.as_mut().poll(task).map(|_| ())
    })
    .await;
    drop(admitted);
}

/// Marks the connection as broken off if responses are pending when this is dropped.
struct BreakOffGuard(Arc<ConnectionState>);

impl Drop for BreakOffGuard {
    fn drop(&mut self) {
        if self.0.has_pending_response() {
            self.0.mark_broken_off();
        }
    }
}

fn interval(period: Duration) -> Interval {
    let mut interval = tokio::time::interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

fn http_builder(max_streams: u32) -> Builder<StreamExecutor> {
    let mut builder = Builder::new(StreamExecutor);
    builder.http1().timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(BUFFER_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(max_streams)
        .max_send_buf_size(STREAM_BUFFER_BYTES)
        .max_header_list_size(u32::try_from(BUFFER_BYTES).unwrap_or(u32::MAX))
        .keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE);
    builder
}
