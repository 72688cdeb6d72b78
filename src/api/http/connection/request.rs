//! The hyper service of a connection: refuses malformed requests before the API sees them, and contains panics.

use std::convert::Infallible;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{self, Poll};
use std::time::{Duration, Instant};

use http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri};
use hyper::body::Incoming;
use tokio::sync::Notify;
use tower_service::Service;
use warp::Reply;

use super::exchange::ExchangeGuard;
use super::{
    AllowedHosts, ConnectionState, Connections, CutReason, Exchange, HeldMemory, ResponseBody,
    client_address, is_https,
};
use crate::api::ApiError;
use crate::api::reply::error_response;
use crate::config::ApiConfig;

/// Makes browsers believe the Content-Type, so that they run no crawled text as a script.
const NO_SNIFF: HeaderValue = HeaderValue::from_static("nosniff");

tokio::task_local! {
    /// Aborts the task of an HTTP/2 stream, which handles one request.
    pub static STREAM_END: Arc<Notify>;
}

/// A request without its body, and its context.
pub(crate) struct RequestHead {
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    /// The address of the client, as reported by trusted proxies.
    pub address: IpAddr,
    /// Whether the client speaks HTTPS with a trusted proxy.
    pub is_https: bool,
    pub exchange: Arc<Exchange>,
}

impl RequestHead {
    pub(crate) fn path(&self) -> &str {
        self.uri.path()
    }

    /// The part after the question mark; empty if there is none.
    pub(crate) fn query(&self) -> &str {
        self.uri.query().unwrap_or("")
    }

    /// Whether the response may come from the cache and go into it.
    pub(crate) fn is_cacheable(&self) -> bool {
        let has_body =
            self.headers.contains_key(CONTENT_LENGTH) || self.headers.contains_key(TRANSFER_ENCODING);
        self.is_safe() && !has_body
    }

    /// The size of the body in bytes, if the request declares it.
    pub(crate) fn content_length(&self) -> Option<u64> {
        declared_length(&self.headers)
    }

    pub(crate) fn is_safe(&self) -> bool {
        self.method == Method::GET || self.method == Method::HEAD
    }
}

/// Returns the length of a body in bytes, if its headers declare it.
fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Counts a request by path, status and duration.
pub(super) type CountRequest = Box<dyn Fn(&str, u16, Duration) + Send + Sync>;

/// The context that all connections share.
pub(crate) struct ConnectionContext<S> {
    /// The service that handles requests. Each request has its [`RequestHead`] as an extension.
    pub api: S,
    pub hosts: AllowedHosts,
    pub config: ApiConfig,
    pub connections: Connections,
    pub count: CountRequest,
}

/// The service of one connection.
pub(super) struct ConnectionService<S> {
    shared: Arc<ConnectionContext<S>>,
    peer: SocketAddr,
    connection: Arc<ConnectionState>,
    /// A Host header that was accepted before on this connection.
    allowed_host: Mutex<Option<HeaderValue>>,
}

impl<S> ConnectionService<S> {
    pub(super) fn new(
        shared: &Arc<ConnectionContext<S>>,
        peer: SocketAddr,
        connection: &Arc<ConnectionState>,
    ) -> Self {
        let (shared, connection) = (Arc::clone(shared), Arc::clone(connection));
        Self { shared, peer, connection, allowed_host: Mutex::default() }
    }
}

/// Names the body type of a response. That of warp is private.
#[expect(unreachable_pub, reason = "the output of a public future is public")]
pub trait HasBody {
    type Body;
}

impl<B> HasBody for Response<B> {
    type Body = B;
}

type ClientResponse = Response<ResponseBody<<warp::reply::Response as HasBody>::Body>>;

pin_project_lite::pin_project! {
    /// The response to a request, while it is computed.
    pub struct ResponseFuture<F, S> {
        #[pin]
        api: Option<F>,
        refusal: Option<ApiError>,
        exchange: Option<ExchangeGuard>,
        shared: Arc<ConnectionContext<S>>,
        head: Arc<RequestHead>,
        started: Instant,
        has_stream_end: bool,
    }
}

impl<S> hyper::service::Service<Request<Incoming>> for ConnectionService<S>
where
    S: Service<Request<Incoming>, Response = warp::reply::Response, Error = Infallible>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send,
{
    type Response = ClientResponse;
    type Error = Infallible;
    type Future = ResponseFuture<S::Future, S>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let (shared, exchange, started) =
            (Arc::clone(&self.shared), self.connection.begin_exchange(), Instant::now());
        let refusal = self.check_request(&request).err();
        let (parts, body) = request.into_parts();
        let (method, uri, headers) = (parts.method, parts.uri, parts.headers);
        let config = &shared.config;
        let (trusted, written) = (&config.trusted_proxies, config.forwarded_header);
        let address = client_address(self.peer.ip(), &headers, trusted, written);
        let is_https = is_https(self.peer.ip(), &headers, trusted, written);
        let exchange_of_head = Arc::clone(&exchange);
        let head =
            Arc::new(RequestHead { method, uri, headers, address, is_https, exchange: exchange_of_head });
        let api = refusal.is_none().then(|| {
            let mut request = Request::new(body);
            request.extensions_mut().insert(Arc::clone(&head));
            shared.api.clone().call(request)
        });
        ResponseFuture {
            api,
            refusal,
            exchange: Some(exchange),
            shared,
            head,
            started,
            has_stream_end: false,
        }
    }
}

impl<F, S> Future for ResponseFuture<F, S>
where
    F: Future<Output = Result<warp::reply::Response, Infallible>>,
{
    type Output = Result<ClientResponse, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut task::Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if !std::mem::replace(this.has_stream_end, true)
            && let Some(exchange) = this.exchange
        {
            // Set inside the task of the HTTP/2 stream. The service is called from another task.
            let _ = STREAM_END.try_with(|end| exchange.set_stream_end(Arc::clone(end)));
        }
        let mut response = match this.api.as_pin_mut() {
            None => error_response::of(&this.refusal.take().unwrap_or(ApiError::Overloaded)).into_response(),
            Some(api) => match catch_unwind(AssertUnwindSafe(|| api.poll(context))) {
                Ok(Poll::Pending) => return Poll::Pending,
                Ok(Poll::Ready(Ok(response))) => response,
                Ok(Poll::Ready(Err(never))) => match never {},
                Err(_) => {
                    this.shared.connections.count_cut(CutReason::Panic);
                    let (method, path) = (&this.head.method, this.head.path());
                    tracing::error!(%method, path, "a request failed: this program panicked");
                    error_response::of(&ApiError::Internal(String::new())).into_response()
                }
            },
        };
        response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, NO_SNIFF);
        (this.shared.count)(this.head.path(), response.status().as_u16(), this.started.elapsed());
        let held: Option<HeldMemory> = response.extensions_mut().remove();
        match this.exchange.take() {
            Some(exchange) => {
                let length = declared_length(response.headers());
                Poll::Ready(Ok(response.map(|body| ResponseBody::new(body, length, exchange, held))))
            }
            // A completed future is not polled again.
            None => Poll::Pending,
        }
    }
}

impl<S> ConnectionService<S> {
    /// Refuses requests that no endpoint handles. A Host header that was accepted before on the connection is not
    /// checked again.
    fn check_request(&self, request: &Request<Incoming>) -> Result<(), ApiError> {
        if request.method() == Method::CONNECT {
            return Err(ApiError::MethodNotAllowed {
                path: "this server".to_owned(),
                method: Method::CONNECT.to_string(),
                allow: "GET, HEAD, POST, DELETE".to_owned(),
            });
        }
        let mut named = request.headers().get_all(HOST).iter();
        let (first, second) = (named.next(), named.next());
        let mut allowed = self.allowed_host.lock().unwrap_or_else(PoisonError::into_inner);
        let is_plain = request.uri().authority().is_none() && second.is_none();
        if is_plain && allowed.is_some() && allowed.as_ref() == first {
            return Ok(());
        }
        self.shared.hosts.check(request.version(), request.uri(), request.headers())?;
        if is_plain {
            *allowed = first.cloned();
        }
        Ok(())
    }
}
