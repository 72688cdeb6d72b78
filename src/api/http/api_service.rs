//! Handles every request: authentication, rate limit, response cache, validation, and then the endpoint.
//!
//! Health probes skip all of that. A cached response is sent from the async thread, without parsing parameters and
//! without access to the store. Other requests wait for a query slot ([`super::admission`]) and run on a worker thread.
//! A response that is too long to be buffered also needs a stream slot. When a client disconnects, its query is
//! cancelled.

mod partial_requests;
mod tool_requests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::Stream;
use http::header::{AUTHORIZATION, CONTENT_TYPE, ETAG};
use http::{HeaderValue, Method};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use warp::reply::Response;
use warp::{Buf, Reply};

use super::admission::{
    ByteBudget, Client, FairQueue, QuerySlots, QueueLimits, RateLimit, RateLimiter, concurrent_queries,
    long_queries,
};
use super::auth::{
    AccessCheck, Authenticator, Identity, LoginQueue, change_session, check_origin, describe_session,
};
use super::body_writer::{Delivery, StreamAdmission, StreamedResponse, WholeResponse};
use super::connection::{Connections, CutReason, HeldMemory, MessageMemory, RequestHead};
use super::cross_origin::AllowedOrigins;
use super::execution::{
    BodyMemory, ComputedResponse, EndpointRequest, MIN_RESERVED_BYTES, reserve_memory, run_endpoint,
};
use super::health_probe::HealthProbe;
use super::kept_files::KeptFiles;
use super::negotiation::{AcceptedCoding, Format};
use super::representation::{Representation, matches_if_none_match, not_modified, weak_etag};
use super::request_body::read_body;
use super::response_cache::{CacheKey, ResponseCache};
use super::worker_pool::WorkerPool;
use crate::api::reply::headers::NO_STORE;
use crate::api::web_ui::WebUi;
use crate::api::{ApiError, ApiState, Endpoint, JsonBody, QueryString, ServeError, routes};
use crate::metrics::{self, ApiMetrics, RequestMetrics};
use crate::query::shorten;
use crate::query::{CancelOnDrop, Deadline};

/// The body of a successful health probe.
const HEALTHY: &str = r#"{"health":"ok","status":200}"#;
/// Worker threads for work that is neither a query nor a password: metrics, and compressing cached responses again.
const OTHER_THREADS: usize = 8;

/// The name under which requests for metrics are counted.
const METRICS_ENDPOINT: &str = "metrics";
/// The name under which requests for assets of the page are counted.
const ASSETS_ENDPOINT: &str = "ui";
/// The name under which requests to the tools for agents are counted.
const MCP_ENDPOINT: &str = "mcp";

/// Handles requests between the connections and the endpoints.
pub(crate) struct ApiService {
    state: Arc<ApiState>,
    authenticator: Arc<Authenticator>,
    rate_limiter: Option<RateLimiter>,
    response_cache: Arc<ResponseCache>,
    kept_files: KeptFiles,
    request_metrics: Arc<RequestMetrics>,
    health_probe: HealthProbe,
    web_ui: WebUi,
    allowed_origins: AllowedOrigins,
    worker_pool: Arc<WorkerPool>,
    query_slots: QuerySlots,
    stream_slots: FairQueue<Client>,
    message_memory: MessageMemory,
    connections: Connections,
    /// Random for each process. Weak entity tags contain it, because two stores can have equal change numbers.
    process_id: u64,
}

impl ApiService {
    /// # Errors
    /// [`ServeError`] when the system provides no randomness or no threads.
    pub(crate) fn new(state: ApiState, connections: Connections) -> Result<Self, ServeError> {
        let config = &state.config;
        let login_queue = LoginQueue::new(config);
        let stream_limits = QueueLimits {
            permits: config.max_concurrent_streams,
            permits_per_client: config.max_streams_per_client,
            max_waiting: config.max_concurrent_streams,
            overload_after: Duration::MAX,
        };
        let threads = concurrent_queries(config)
            + long_queries(config)
            + stream_limits.permits
            + stream_limits.max_waiting
            + login_queue.permits()
            + OTHER_THREADS;
        let worker_pool = Arc::new(WorkerPool::start(threads).map_err(ServeError::Threads)?);
        let budget = ByteBudget::new(config.answer_memory_bytes, config.answer_memory_per_client_bytes);
        let rate = RateLimit { per_second: config.rate_limit_per_second, burst: config.rate_limit_burst };
        Ok(Self {
            authenticator: Arc::new(Authenticator::new(&state, login_queue, &worker_pool)?),
            rate_limiter: RateLimiter::new(rate, config.rate_limit_clients),
            response_cache: Arc::new(ResponseCache::new(config.answer_cache_bytes)),
            kept_files: KeptFiles::new(state.searches.directory().to_owned(), config),
            request_metrics: Arc::new(RequestMetrics::new(counted_endpoints())),
            health_probe: HealthProbe::new(&state.store, config.health_timeout.0),
            web_ui: WebUi::new(config.compress_min_bytes).map_err(ServeError::Page)?,
            allowed_origins: AllowedOrigins::new(&config.allow_origins),
            worker_pool,
            query_slots: QuerySlots::new(config),
            stream_slots: FairQueue::new(stream_limits),
            message_memory: MessageMemory::new(budget, connections.clone()),
            connections,
            process_id: getrandom::u64().map_err(ServeError::Randomness)?,
            state: Arc::new(state),
        })
    }

    /// Returns the response to a request.
    ///
    /// # Errors
    /// The reason why the request is refused, or why it failed.
    pub(crate) async fn handle<B: Buf>(
        &self,
        head: &RequestHead,
        body: impl Stream<Item = Result<B, warp::Error>>,
    ) -> Result<Response, ApiError> {
        if head.is_safe() && routes::is_probe(head.path()) {
            head.exchange.mark_request_read();
            return self.health().await;
        }
        if head.is_safe()
            && let Some(response) = self.web_ui.respond(head.path(), &head.headers)
        {
            head.exchange.mark_request_read();
            return response.map(Reply::into_response);
        }
        self.check_sender(head)?;
        if routes::is_session(head.path()) {
            return if head.is_safe() {
                self.session(head).await
            } else {
                self.change_session(head, body).await
            };
        }
        let is_metrics = head.path() == metrics::PATH;
        if is_metrics && self.state.config.metrics_open {
            return self.metrics(head).await;
        }
        let identity = self.admit(head).await?;
        if is_metrics {
            return self.metrics(head).await;
        }
        self.handle_query(head, body, &identity).await
    }

    /// Returns the sender of a request that may be answered.
    ///
    /// # Errors
    /// The reason why the request is refused.
    pub(crate) async fn admit(&self, head: &RequestHead) -> Result<Identity, ApiError> {
        self.check_sender(head)?;
        let identity = self.identify(head).await?;
        identity.check_role(routes::needed_role(head.path(), &head.method))?;
        Ok(identity)
    }

    /// Refuses changes that a page of another site may have sent.
    fn check_sender(&self, head: &RequestHead) -> Result<(), ApiError> {
        if head.is_safe() {
            return Ok(());
        }
        check_origin(&head.headers, self.allowed_origins.contains_origin_of(&head.headers))
    }

    /// The origins whose pages may read responses.
    pub(crate) fn allowed_origins(&self) -> &AllowedOrigins {
        &self.allowed_origins
    }

    /// Authenticates a request, and counts it.
    async fn identify(&self, head: &RequestHead) -> Result<Identity, ApiError> {
        let identity = self.authenticator.authenticate(head).await?;
        if let Some(limiter) = &self.rate_limiter {
            limiter.charge(&identity.client(), Instant::now()).map_err(ApiError::TooManyRequests)?;
        }
        Ok(identity)
    }

    /// Says who is signed in. Without credentials, a client learns whether it needs some.
    async fn session(&self, head: &RequestHead) -> Result<Response, ApiError> {
        let identity = match self.identify(head).await {
            Err(ApiError::Unauthorized) if !head.headers.contains_key(AUTHORIZATION) => None,
            identified => Some(identified?),
        };
        head.exchange.mark_request_read();
        describe_session(identity.as_ref())
    }

    async fn change_session<B: Buf>(
        &self,
        head: &RequestHead,
        body: impl Stream<Item = Result<B, warp::Error>>,
    ) -> Result<Response, ApiError> {
        let changed = change_session(&self.authenticator, &self.state.config, head, body).await;
        changed.inspect_err(|error| self.count_if_cut(error))
    }

    fn count_if_cut(&self, error: &ApiError) {
        if matches!(error, ApiError::BodyTimeout) {
            self.connections.count_cut(CutReason::Body);
        }
    }

    /// Returns the cached response to a request, or computes the response.
    async fn handle_query<B: Buf>(
        &self,
        head: &RequestHead,
        body: impl Stream<Item = Result<B, warp::Error>>,
        identity: &Identity,
    ) -> Result<Response, ApiError> {
        let client = identity.client();
        let key = cache_key(head);
        if let Some(response) = self.partial_response(head, identity, &key).await? {
            return Ok(response);
        }
        // Read before any snapshot that the response may be computed from.
        let change_number = self.state.store.change_number();
        if head.is_cacheable()
            && let Some(representation) = self.cached(&key, change_number).await?
        {
            let response = representation.response(&head.headers).into_response();
            let bytes = representation.len();
            let held = || HeldMemory { bytes, client, memory: representation };
            return Ok(with_held_memory(response, (bytes >= MIN_RESERVED_BYTES).then(held)));
        }
        let deadline = Deadline::after(self.state.config.deadline.0);
        let request = self.read_request(head, body, &client, (key.format, key.accepted)).await?;
        let status = request.endpoint.success_status(&head.method);
        match self.compute(request, deadline, identity).await? {
            ComputedResponse::Whole { representation, held, .. } if !head.is_safe() => {
                let response = warp::reply::with_status(representation.untagged_response(), status);
                Ok(with_held_memory(response.into_response(), held))
            }
            ComputedResponse::Whole { representation, cacheable, held } => {
                let response = representation.response(&head.headers).into_response();
                if cacheable && head.is_cacheable() {
                    self.response_cache.put(key, change_number, representation);
                }
                Ok(with_held_memory(response, held))
            }
            ComputedResponse::Streamed { response, cancel_guard } => {
                Ok(self.streamed_response(head, change_number, response, cancel_guard))
            }
        }
    }

    /// Counts a request whose response begins now.
    pub(crate) fn count_request(&self, path: &str, status: u16, took: Duration) {
        let endpoint = match routes::find(path) {
            Some(endpoint) => Some(endpoint.title()),
            None if path == metrics::PATH => Some(METRICS_ENDPOINT),
            None if path == routes::MCP_PATH => Some(MCP_ENDPOINT),
            None => WebUi::is_asset(path).then_some(ASSETS_ENDPOINT),
        };
        self.request_metrics.count(endpoint, status, took);
    }

    /// Returns the response to a health probe: the same bytes for every client, which caches must not store.
    async fn health(&self) -> Result<Response, ApiError> {
        if !self.health_probe.is_healthy().await {
            return Err(ApiError::IndexUnreadable);
        }
        let mut response = HEALTHY.into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, Format::Json.content_type());
        headers.extend([NO_STORE]);
        Ok(response)
    }

    async fn metrics(&self, head: &RequestHead) -> Result<Response, ApiError> {
        head.exchange.mark_request_read();
        if !head.is_safe() {
            return Err(ApiError::MethodNotAllowed {
                path: head.path().to_owned(),
                method: head.method.to_string(),
                allow: "GET, HEAD".to_owned(),
            });
        }
        let (state, api) = (Arc::clone(&self.state), self.api_metrics());
        let render = move || {
            let ApiState { store, searches, activity, .. } = &*state;
            Ok(metrics::render(store, searches, activity, &api)?)
        };
        let mut response = self.worker_pool.run(render).await?.into_response();
        let content_type = HeaderValue::from_static(metrics::CONTENT_TYPE);
        response.headers_mut().insert(CONTENT_TYPE, content_type);
        Ok(response)
    }

    fn api_metrics(&self) -> ApiMetrics {
        ApiMetrics {
            requests: Arc::clone(&self.request_metrics),
            cached_bytes: self.response_cache.used_bytes(),
            response_bytes: self.message_memory.used_bytes(),
            connections: self.connections.len(),
            cuts: self.connections.cuts().counts().collect(),
            queries: self.query_slots.metrics(),
            logins: self.authenticator.counters().counts(),
        }
    }

    /// Returns the cached response, if any. A response that is cached uncompressed only is compressed if necessary.
    async fn cached(
        &self,
        key: &CacheKey,
        change_number: u64,
    ) -> Result<Option<Arc<Representation>>, ApiError> {
        if let Some(representation) = self.response_cache.get(key, change_number) {
            return Ok(Some(representation));
        }
        if key.accepted == AcceptedCoding::NONE {
            return Ok(None);
        }
        let plain = CacheKey { accepted: AcceptedCoding::NONE, ..key.clone() };
        let Some(plain) = self.response_cache.get(&plain, change_number) else { return Ok(None) };
        let (accepted, compress_min_bytes) = (key.accepted, self.state.config.compress_min_bytes);
        let message_memory = self.message_memory.clone();
        let reencode = move || {
            let representation = plain.reencode(accepted, compress_min_bytes)?;
            let reservation = message_memory.reserve(representation.len())?;
            Ok(representation.with_reservation(reservation))
        };
        let representation = Arc::new(self.worker_pool.run(reencode).await?);
        self.response_cache.put(key.clone(), change_number, Arc::clone(&representation));
        Ok(Some(representation))
    }

    /// Returns the endpoint of a request whose method and query are allowed.
    fn requested_endpoint(
        &self,
        path: &str,
        query: &str,
        method: &Method,
    ) -> Result<&'static Endpoint, ApiError> {
        let endpoint = routes::find(path).ok_or_else(|| ApiError::NotFound(shorten(path)))?;
        endpoint.check_method(path, method)?;
        let max_query_bytes = self.state.config.max_query_bytes;
        if query.len() > max_query_bytes {
            return Err(ApiError::QueryTooLong(max_query_bytes));
        }
        Ok(endpoint)
    }

    /// Validates the request, reads its body, and parses its parameters.
    async fn read_request<B: Buf>(
        &self,
        head: &RequestHead,
        body: impl Stream<Item = Result<B, warp::Error>>,
        client: &Client,
        (format, accepted): (Format, AcceptedCoding),
    ) -> Result<EndpointRequest, ApiError> {
        let endpoint = self.requested_endpoint(head.path(), head.query(), &head.method)?;
        let (body, body_memory) = self.read_whole_body(head, body, client).await?;
        Ok(EndpointRequest {
            endpoint,
            params: QueryString::parse(head.query())?,
            json_body: (head.method == Method::POST).then(|| JsonBody::new(&head.headers, body)),
            _body_memory: body_memory,
            format,
            accepted,
        })
    }

    /// Reads the body of a request, and reserves memory for it.
    ///
    /// # Errors
    /// [`ApiError::BodyTooLarge`], and those of [`read_body`].
    pub(crate) async fn read_whole_body<B: Buf>(
        &self,
        head: &RequestHead,
        body: impl Stream<Item = Result<B, warp::Error>>,
        client: &Client,
    ) -> Result<(Vec<u8>, Vec<BodyMemory>), ApiError> {
        let max_bytes = self.state.config.max_body_bytes;
        if head.content_length().is_some_and(|bytes| bytes > max_bytes as u64) {
            return Err(ApiError::BodyTooLarge(max_bytes));
        }
        let mut memory = Vec::new();
        let reserve = |bytes: usize| {
            memory.push(self.message_memory.try_reserve_for(client, bytes)?);
            Ok(())
        };
        let body = read_body(body, max_bytes, self.state.config.body_timeout.0, reserve).await;
        let body = body.inspect_err(|error| self.count_if_cut(error))?;
        head.exchange.mark_request_read();
        Ok((body, memory))
    }

    /// Waits for a query slot and computes the response on a worker thread.
    async fn compute(
        &self,
        request: EndpointRequest,
        deadline: Deadline,
        identity: &Identity,
    ) -> Result<ComputedResponse, ApiError> {
        let client = identity.client();
        let query_slot = self.query_slots.acquire(&client, &deadline).await?;
        let cancel_guard = deadline.cancel_on_drop();
        let (started, stream_started) = oneshot::channel();
        let delivery = Delivery {
            coding: request.accepted.coding,
            chunk_bytes: self.state.config.stream_piece_bytes,
            runtime: Handle::current(),
            started,
            admission: StreamAdmission {
                access: AccessCheck::new(identity, &self.state.store),
                client: client.clone(),
                query_slot,
                stream_slots: self.stream_slots.clone(),
                message_memory: self.message_memory.clone(),
            },
        };
        let (state, message_memory) = (Arc::clone(&self.state), self.message_memory.clone());
        let computing = self.worker_pool.run(move || {
            let whole = run_endpoint(&request, &state, &deadline, delivery)?;
            let Some(WholeResponse { rendered, query_slot }) = whole else { return Ok(None) };
            let cacheable = rendered.cacheable;
            let compress_min_bytes = state.config.compress_min_bytes;
            let representation = Representation::new(rendered, request.accepted, compress_min_bytes)?;
            let response = reserve_memory(representation, cacheable, &client, &message_memory).map(Some);
            drop(query_slot);
            response
        });
        if let Ok(response) = stream_started.await {
            return Ok(ComputedResponse::Streamed { response, cancel_guard });
        }
        computing
            .await?
            .ok_or_else(|| ApiError::Internal("a response was streamed without a receiver".to_owned()))
    }

    /// Returns the response that sends a stream while it is computed.
    fn streamed_response(
        &self,
        head: &RequestHead,
        change_number: u64,
        streamed: StreamedResponse,
        cancel_guard: CancelOnDrop,
    ) -> Response {
        let (meta, coding, held) = (streamed.meta.clone(), streamed.coding, streamed.held.clone());
        // The tag names a state of the store. It is left out if the response depends on more than that.
        let etag = streamed.cacheable.then(|| weak_etag(self.process_id, change_number, meta.format, coding));
        if let Some(etag) = &etag
            && matches_if_none_match(&head.headers, etag)
        {
            return not_modified::<bytes::Bytes>(&meta, etag).into_response();
        }
        let mut response = warp::reply::stream(streamed.into_stream(cancel_guard)).into_response();
        meta.write(coding, response.headers_mut());
        response.headers_mut().extend(etag.map(|etag| (ETAG, etag)));
        if meta.format == Format::Parquet {
            partial_requests::refuse_ranges(head, &mut response);
        }
        with_held_memory(response, Some(held))
    }
}

/// Returns everything that the response to a request depends on, except for the store.
fn cache_key(head: &RequestHead) -> CacheKey {
    CacheKey {
        path: head.path().into(),
        query: head.query().into(),
        format: Format::from_accept(&head.headers),
        accepted: AcceptedCoding::from_headers(&head.headers),
    }
}

/// Returns the names under which requests are counted.
fn counted_endpoints() -> impl Iterator<Item = &'static str> {
    routes::all().map(Endpoint::title).chain([METRICS_ENDPOINT, ASSETS_ENDPOINT, MCP_ENDPOINT])
}

/// Attaches memory to a response. It is released when the response is sent.
fn with_held_memory(mut response: Response, held: Option<HeldMemory>) -> Response {
    if let Some(held) = held {
        response.extensions_mut().insert(held);
    }
    response
}
