//! Accepts connections and serves each, until the server ends.

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

use super::activity::{Course, Timeouts};
use super::observed::Observed;
use super::registry::Admitted;
use super::requests::{ConnectionRequests, END, Requests};
use super::{Activity, Cut};

/// How long nothing is accepted when the system has no more open files.
const REST: Duration = Duration::from_millis(100);

/// How soon, when the server is to end, a connection is closed whose client has not sent a whole request.
const LAST_LOOK: Duration = Duration::from_millis(100);

/// Bytes that are read ahead of a connection and held unsent at most. A head with the longest query and its headers fits.
const BUFFER_BYTES: usize = 128 << 10;

/// Bytes that are held unsent of one stream of an HTTP/2 connection.
const STREAM_BUFFER_BYTES: usize = 16 << 10;

/// How often a silent HTTP/2 client is asked whether it is still there, and how long it may take to say so.
const PING: Duration = Duration::from_secs(20);

/// What a client is told for whom there is no room, before its connection is closed.
const NO_ROOM: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 1\r\n\
    Connection: close\r\nContent-Length: 80\r\n\r\n\
    {\"status\":503,\"error\":\"too many connections are open; close some, or try again\"}";

/// Serves connections until `shutdown` is there, and then those with answers under way for `api.drain`.
pub async fn serve<S>(listener: TcpListener, requests: Requests<S>, shutdown: impl Future<Output = ()>)
where
    S: Service<Request<Incoming>, Response = warp::reply::Response, Error = Infallible>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send,
{
    let requests = Arc::new(requests);
    let (mut open, mut number) = (JoinSet::new(), 0);
    let timeouts = Timeouts::new(&requests.config);
    let mut look = every(timeouts.look_every());
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = open.join_next() => continue,
            _ = look.tick() => {
                requests.connections.look(&timeouts);
                continue;
            }
            () = &mut shutdown => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) if is_want(&error) => {
                requests.connections.count(Cut::Files);
                tokio::time::sleep(REST).await;
                continue;
            }
            // The client has gone before it was accepted.
            Err(_) => continue,
        };
        number += 1;
        match requests.connections.admit(number, peer.ip()) {
            Ok(admitted) => {
                open.spawn(connection(stream, peer, admitted, Arc::clone(&requests)));
            }
            Err(full) => {
                requests.connections.count(full);
                // As far as the socket gives and takes it at once: nobody is waited for. What is left unread would make
                // the system take the answer back.
                let _ = stream.try_read(&mut [0; 4_096]);
                let _ = stream.try_write(NO_ROOM);
            }
        }
    }
    drop(listener);
    requests.connections.drain();
    let drained = async {
        // After a moment in which those that have nothing to do end by themselves.
        let mut look = tokio::time::interval_at(Instant::now() + LAST_LOOK, LAST_LOOK);
        while !open.is_empty() {
            tokio::select! {
                _ = open.join_next() => {}
                _ = look.tick() => requests.connections.look(&timeouts),
            }
        }
    };
    if tokio::time::timeout(requests.config.drain.0, drained).await.is_err() {
        tracing::warn!("answers under way were cut off after api.drain");
    }
}

/// Whether the machine has too little of something for one more connection.
fn is_want(error: &std::io::Error) -> bool {
    use rustix::io::Errno;
    let wants = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM].map(Errno::raw_os_error);
    error.raw_os_error().is_some_and(|code| wants.contains(&code))
}

/// Runs the tasks of HTTP/2 streams, each of which can be ended by itself.
#[derive(Clone)]
struct Streams;

impl<F: Future + Send + 'static> Executor<F> for Streams {
    fn execute(&self, stream: F) {
        let end = Arc::new(Notify::new());
        tokio::spawn(END.scope(Arc::clone(&end), async move {
            tokio::select! {
                _ = stream => {}
                () = end.notified() => {}
            }
        }));
    }
}

/// Serves one connection to its end.
async fn connection<S>(stream: TcpStream, peer: SocketAddr, admitted: Admitted, requests: Arc<Requests<S>>)
where
    S: Service<Request<Incoming>, Response = warp::reply::Response, Error = Infallible>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send,
{
    // Answers are written in one piece where they are short, so that waiting for more would only cost time.
    let _ = stream.set_nodelay(true);
    // Where the system does not let it be set, it holds what it does otherwise.
    let _ = SockRef::from(&stream).set_send_buffer_size(requests.config.send_buffer_bytes);
    let activity = Arc::clone(&admitted.activity);
    let builder = builder(requests.config.max_requests_per_connection);
    let service = ConnectionRequests::new(&requests, peer, &activity);
    let io = TokioIo::new(Observed::new(stream, Arc::clone(&activity)));
    let mut serving = pin!(builder.serve_connection(io, service));
    // Dropped before the connection, which looks at what it notes.
    let _broken_off = BrokenOff(Arc::clone(&activity));
    let mut is_draining = false;
    poll_fn(|context| {
        match activity.course(context) {
            Course::Open => {}
            Course::End => return Poll::Ready(()),
            Course::Drain if is_draining => {}
            Course::Drain => {
                is_draining = true;
                serving.as_mut().graceful_shutdown();
            }
        }
        // What clients do wrong is theirs to see.
        serving.as_mut().poll(context).map(|_| ())
    })
    .await;
    drop(admitted);
}

/// Notes that answers are broken off which are under way when it is dropped.
struct BrokenOff(Arc<Activity>);

impl Drop for BrokenOff {
    fn drop(&mut self) {
        if self.0.is_answering() {
            self.0.note_broken_off();
        }
    }
}

fn every(period: Duration) -> Interval {
    let mut interval = tokio::time::interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

fn builder(max_streams: u32) -> Builder<Streams> {
    let mut builder = Builder::new(Streams);
    builder.http1().timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(BUFFER_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(max_streams)
        .max_send_buf_size(STREAM_BUFFER_BYTES)
        .max_header_list_size(BUFFER_BYTES as u32)
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING);
    builder
}
