//! The door that every request passes: credentials, rate, answers kept, path, method, sizes; then it is computed. Probes
//! alone are answered before all that.
//!
//! What is kept is answered on the async thread, without reading parameters or touching the store. Everything else is
//! computed on a worker's thread when it is its client's turn ([`super::admission`]); what is too long to be sent whole
//! needs a place among the streamed answers besides. A client that goes away takes its query along.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{Stream, StreamExt};
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Method};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use warp::reply::Response;
use warp::{Buf, Reply};

use super::admission::{
    AnswerMemory, Client, ClientBytes, FairQueue, Limiter, QueryTurns, QueueLimits, Rate, Reservation,
    TurnFigures, concurrent_queries, long_queries,
};
use super::answers::{AnswerKey, Answers};
use super::auth::{Authenticator, LoginQueue, Membership};
use super::connection::{Connections, Context, Cut, Exchange, Holds};
use super::negotiate::{Format, Wish};
use super::outlet::{Finished, Gate, Outgoing, Outlet, Streamed};
use super::params::shorten;
use super::probe::Probe;
use super::representation::{Representation, holds, not_modified, weak_tag};
use super::requests::Requests;
use super::workers::Workers;
use super::{
    ApiError, ApiState, Call, Endpoint, Params, PasswordError, Posted, ServeError, exposition, metrics,
    routes,
};
use crate::query::{CancelOnDrop, Deadline};

/// What a probe is answered while all is well.
const HEALTHY: &str = r#"{"health":"ok","status":200}"#;

/// A request without its body.
pub struct Request<'a> {
    pub method: &'a Method,
    pub path: &'a str,
    pub query: &'a str,
    pub headers: &'a HeaderMap,
}

/// What stands between the connections and the endpoints.
pub struct Door {
    state: Arc<ApiState>,
    authenticator: Arc<Authenticator>,
    limiter: Option<Limiter>,
    answers: Arc<Answers>,
    requests: Arc<Requests>,
    probe: Probe,
    workers: Arc<Workers>,
    turns: QueryTurns,
    streams: FairQueue<Client>,
    memory: AnswerMemory,
    connections: Connections,
    /// Different in every process: numbers of changes may be the same in two stores.
    process: u64,
}

/// A question to an endpoint, ready to be computed.
struct Question {
    endpoint: &'static Endpoint,
    params: Params,
    posted: Option<Posted>,
    /// The memory of its body.
    _held: Vec<(ClientBytes, Reservation)>,
    accepted: Format,
    wish: Wish,
}

/// An answer that was computed, or has begun to be.
enum Computed {
    Whole { answer: Arc<Representation>, lasting: bool, holds: Holds },
    Streamed { streamed: Streamed, wanted: CancelOnDrop },
}

impl Request<'_> {
    /// Whether the answer may be one that was given before, and may be given again.
    fn is_repeatable(&self) -> bool {
        let has_body =
            self.headers.contains_key(CONTENT_LENGTH) || self.headers.contains_key(TRANSFER_ENCODING);
        self.is_safe() && !has_body
    }

    /// Bytes of the body, as far as the request says.
    fn body_bytes(&self) -> Option<u64> {
        self.headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
    }

    fn is_safe(&self) -> bool {
        self.method == Method::GET || self.method == Method::HEAD
    }
}

/// Bytes of an answer from which on it counts in the memory of answers: smaller ones fit the buffers of their connection.
const COUNTED_BYTES: usize = 4 << 10;
/// Bytes of a body that memory is taken for at once.
const BODY_STEP_BYTES: usize = 16 << 10;
/// How often it is looked whether there is memory for an answer, and how long.
const MEMORY_LOOK: Duration = Duration::from_millis(10);
const MEMORY_WAIT: Duration = Duration::from_millis(500);
/// Threads for what is neither a query nor a password: metrics, and answers that are compressed once more.
const OTHER_THREADS: usize = 8;

impl Door {
    /// # Errors
    /// When the system has no randomness or no threads to give.
    pub fn new(state: ApiState, connections: Connections) -> Result<Self, ServeError> {
        let config = &state.config;
        let logins = LoginQueue::new(config);
        let streams = QueueLimits {
            places: config.max_concurrent_streams,
            places_per_client: config.max_streams_per_client,
            max_waiting: config.max_concurrent_streams,
            overload_after: Duration::MAX,
        };
        let threads = concurrent_queries(config)
            + long_queries(config)
            + streams.places
            + streams.max_waiting
            + logins.places()
            + OTHER_THREADS;
        let workers = Arc::new(Workers::start(threads).map_err(ServeError::Threads)?);
        let rate = Rate { per_second: config.rate_limit_per_second, burst: config.rate_limit_burst };
        Ok(Self {
            authenticator: Arc::new(Authenticator::new(&state, logins, &workers)?),
            limiter: Limiter::new(rate, config.rate_limit_clients),
            answers: Arc::new(Answers::new(config.answer_cache_bytes)),
            requests: Arc::new(Requests::new()),
            probe: Probe::new(&state.store, config.health_timeout.0),
            workers,
            turns: QueryTurns::new(config),
            streams: FairQueue::new(streams),
            memory: AnswerMemory::new(config.answer_memory_bytes, config.answer_memory_per_client_bytes),
            connections,
            process: getrandom::u64().map_err(|error| PasswordError::new(&error))?,
            state: Arc::new(state),
        })
    }

    /// The response to a request.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn answer<B: Buf>(
        &self,
        request: &Request<'_>,
        context: &Context,
        body: impl Stream<Item = Result<B, warp::Error>>,
    ) -> Result<Response, ApiError> {
        if request.is_safe() && routes::is_probe(request.path) {
            context.exchange.note_read();
            return self.health().await;
        }
        if request.path == metrics::PATH && self.state.config.metrics_open {
            context.exchange.note_read();
            return self.metrics(request).await;
        }
        let visitor = self.authenticator.check(request.headers, context).await?;
        let client = visitor.client();
        if let Some(limiter) = &self.limiter {
            limiter.take(&client, Instant::now()).map_err(ApiError::TooMany)?;
        }
        if request.path == metrics::PATH {
            context.exchange.note_read();
            return self.metrics(request).await;
        }
        let Request { path, query, headers, .. } = *request;
        let (format, wish) = (Format::accepted(headers), Wish::accepted(headers));
        let asked = AnswerKey { path, query, format, wish };
        // Before any snapshot that the answer may be computed from.
        let change_number = self.state.store.change_number();
        if request.is_repeatable()
            && let Some(answer) = self.kept(&asked, change_number).await?
        {
            let response = answer.response(headers).into_response();
            return Ok(match answer.len() {
                ..COUNTED_BYTES => response,
                bytes => holding(response, Holds { bytes, client, kept: answer as Arc<_> }),
            });
        }
        let deadline = Deadline::after(self.state.config.deadline.0);
        let question = self.question(request, body, &context.exchange, &client).await?;
        match self.compute(question, deadline, client).await? {
            Computed::Whole { answer, holds, .. } if !request.is_safe() => {
                Ok(holding(answer.untagged().into_response(), holds))
            }
            Computed::Whole { answer, lasting, holds } => {
                let response = answer.response(headers).into_response();
                if lasting && request.is_repeatable() {
                    self.answers.put(&asked, change_number, answer);
                }
                Ok(holding(response, holds))
            }
            Computed::Streamed { streamed, wanted } => {
                Ok(self.stream(request, change_number, streamed, wanted))
            }
        }
    }

    /// Counts a request whose answer begins now.
    pub fn count(&self, path: &str, status: u16, took: Duration) {
        self.requests.count(path, status, took);
    }

    /// The same bytes for every client, which caches must not store.
    async fn health(&self) -> Result<Response, ApiError> {
        if !self.probe.succeeds().await {
            return Err(ApiError::Unreadable);
        }
        let mut response = HEALTHY.into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, Format::Json.content_type());
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(response)
    }

    async fn metrics(&self, request: &Request<'_>) -> Result<Response, ApiError> {
        if !request.is_safe() {
            return Err(ApiError::MethodNotAllowed {
                path: request.path.to_owned(),
                method: request.method.to_string(),
                allow: "GET, HEAD".to_owned(),
            });
        }
        let (state, requests, answers) =
            (Arc::clone(&self.state), Arc::clone(&self.requests), Arc::clone(&self.answers));
        let gate = GateFigures {
            turns: self.turns.figures(),
            connections: self.connections.clone(),
            logins: Arc::clone(&self.authenticator),
            answer_bytes: self.memory.bytes(),
        };
        let text = self.off_thread(move || metrics::text(&state, &requests, &answers, &gate)).await?;
        let mut response = text.into_response();
        let content_type = HeaderValue::from_static(exposition::CONTENT_TYPE);
        response.headers_mut().insert(CONTENT_TYPE, content_type);
        Ok(response)
    }

    /// The answer, if it is kept, if need be in another coding.
    async fn kept(
        &self,
        asked: &AnswerKey<'_>,
        change_number: u64,
    ) -> Result<Option<Arc<Representation>>, ApiError> {
        if let Some(answer) = self.answers.get(asked, change_number) {
            return Ok(Some(answer));
        }
        if asked.wish == Wish::NONE {
            return Ok(None);
        }
        let plain = AnswerKey { wish: Wish::NONE, ..*asked };
        let Some(plain) = self.answers.get(&plain, change_number) else { return Ok(None) };
        let (wish, least) = (asked.wish, self.state.config.compress_min_bytes);
        let (memory, connections) = (self.memory.clone(), self.connections.clone());
        let recode = move || {
            let answer = plain.recoded(wish, least)?;
            let reserved = reserve(&memory, &connections, answer.len())?;
            Ok(answer.counted(reserved))
        };
        let answer = Arc::new(self.off_thread(recode).await?);
        self.answers.put(asked, change_number, Arc::clone(&answer));
        Ok(Some(answer))
    }

    /// Reads the request to its end and finds out what it asks.
    async fn question<B: Buf>(
        &self,
        request: &Request<'_>,
        body: impl Stream<Item = Result<B, warp::Error>>,
        exchange: &Exchange,
        client: &Client,
    ) -> Result<Question, ApiError> {
        let Request { method, path, query, headers } = *request;
        let endpoint = routes::find(path).ok_or_else(|| ApiError::NotFound(shorten(path)))?;
        if !endpoint.takes(method) {
            return Err(ApiError::MethodNotAllowed {
                path: path.to_owned(),
                method: method.to_string(),
                allow: endpoint.allow(),
            });
        }
        if query.len() > self.state.config.max_query_bytes {
            return Err(ApiError::QueryTooLong(self.state.config.max_query_bytes));
        }
        let most = self.state.config.max_body_bytes;
        if request.body_bytes().is_some_and(|bytes| bytes > most as u64) {
            return Err(ApiError::BodyTooLarge(most));
        }
        let mut held = Vec::new();
        let hold = |bytes: usize| {
            let charged = self.memory.charge(client, bytes).ok_or(ApiError::Unread)?;
            held.push((charged, self.memory.reserve(bytes).ok_or(ApiError::Overloaded)?));
            Ok(())
        };
        let reading = tokio::time::timeout(self.state.config.body_timeout.0, read(body, most, hold));
        let body = reading.await.map_err(|_| {
            self.connections.count(Cut::Body);
            ApiError::BodyTimeout
        })??;
        exchange.note_read();
        Ok(Question {
            endpoint,
            params: Params::parse(query)?,
            posted: (method == Method::POST).then(|| Posted::new(headers, body)),
            _held: held,
            accepted: Format::accepted(headers),
            wish: Wish::accepted(headers),
        })
    }

    /// Computes the answer on a worker's thread, when it is its turn.
    async fn compute(
        &self,
        question: Question,
        deadline: Deadline,
        client: Client,
    ) -> Result<Computed, ApiError> {
        let turn = self.turns.take(&client, &deadline).await?;
        let wanted = deadline.cancel_on_drop();
        let (begun, streaming) = oneshot::channel();
        let (streams, memory) = (self.streams.clone(), self.memory.clone());
        let outgoing = Outgoing {
            coding: question.wish.coding,
            piece_bytes: self.state.config.stream_piece_bytes,
            runtime: Handle::current(),
            begun,
            gate: Gate {
                membership: Membership::of(&client, &self.state.store),
                client: client.clone(),
                turn,
                streams,
                memory,
                connections: self.connections.clone(),
            },
        };
        let (state, connections, memory) =
            (Arc::clone(&self.state), self.connections.clone(), self.memory.clone());
        let working = self.workers.run(move || {
            let finished = work(&question, &state, &deadline, outgoing)?;
            let Some(Finished { content, turn }) = finished else { return Ok(None) };
            let lasting = content.lasting;
            let answer = Representation::new(content, question.wish, state.config.compress_min_bytes)?;
            let held = hold(answer, lasting, &client, &memory, &connections).map(Some);
            drop(turn);
            held
        });
        let working = working.ok_or_else(|| ApiError::Internal("the workers have ended".to_owned()))?;
        if let Ok(streamed) = streaming.await {
            return Ok(Computed::Streamed { streamed, wanted });
        }
        let done = working.await.map_err(|error| ApiError::Internal(error.to_string()))??;
        done.ok_or_else(|| ApiError::Internal("an answer was streamed to nobody".to_owned()))
    }

    async fn off_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let working = self.workers.run(work);
        let working = working.ok_or_else(|| ApiError::Internal("the workers have ended".to_owned()))?;
        working.await.map_err(|error| ApiError::Internal(error.to_string()))?
    }

    /// The response that an answer comes in as it is made.
    fn stream(
        &self,
        request: &Request<'_>,
        change_number: u64,
        streamed: Streamed,
        wanted: CancelOnDrop,
    ) -> Response {
        let (about, coding, kept) = (streamed.about.clone(), streamed.coding, streamed.holds.clone());
        // Of an answer that does not hold for a whole state of the store, that state says nothing.
        let tag = streamed.lasting.then(|| weak_tag(self.process, change_number, about.format, coding));
        if let Some(tag) = &tag
            && holds(request.headers, tag)
        {
            return not_modified::<bytes::Bytes>(&about, tag).into_response();
        }
        let mut response = warp::reply::stream(streamed.into_bytes(wanted)).into_response();
        about.write(coding, response.headers_mut());
        response.headers_mut().extend(tag.map(|tag| (ETAG, tag)));
        holding(response, kept)
    }
}

/// What `/metrics` tells of who is let in.
pub struct GateFigures {
    pub turns: TurnFigures,
    pub connections: Connections,
    pub logins: Arc<Authenticator>,
    pub answer_bytes: u64,
}

/// A response that keeps something until it is sent.
fn holding(mut response: Response, holds: Holds) -> Response {
    response.extensions_mut().insert(holds);
    response
}

/// Takes memory for a whole answer that was made for a client, until it is read.
fn hold(
    answer: Representation,
    lasting: bool,
    client: &Client,
    memory: &AnswerMemory,
    connections: &Connections,
) -> Result<Computed, ApiError> {
    let bytes = answer.len();
    if bytes < COUNTED_BYTES {
        let answer = Arc::new(answer);
        let holds = Holds { bytes, client: client.clone(), kept: Arc::clone(&answer) as Arc<_> };
        return Ok(Computed::Whole { answer, lasting, holds });
    }
    let charged = memory.charge(client, bytes).ok_or(ApiError::Unread)?;
    let answer = Arc::new(answer.counted(reserve(memory, connections, bytes)?));
    let kept = Arc::new((charged, Arc::clone(&answer)));
    let holds = Holds { bytes, client: client.clone(), kept };
    Ok(Computed::Whole { answer, lasting, holds })
}

/// Takes memory for an answer; answers that nobody reads make room for it.
pub fn reserve(
    memory: &AnswerMemory,
    connections: &Connections,
    bytes: usize,
) -> Result<Reservation, ApiError> {
    let until = Instant::now() + MEMORY_WAIT;
    loop {
        if let Some(reserved) = memory.reserve(bytes) {
            return Ok(reserved);
        }
        if Instant::now() >= until {
            return Err(ApiError::Overloaded);
        }
        connections.break_off_unread();
        std::thread::sleep(MEMORY_LOOK);
    }
}

/// Computes an answer. `None` when it was streamed.
fn work(
    question: &Question,
    state: &ApiState,
    deadline: &Deadline,
    outgoing: Outgoing,
) -> Result<Option<Finished>, ApiError> {
    let Question { endpoint, params, posted, accepted, .. } = question;
    let call = Call::new(endpoint, params, posted.as_ref(), state, deadline, *accepted)?;
    let mut outlet = Outlet::new(outgoing, deadline);
    if let Err(error) = call.answer(&mut outlet) {
        if let (true, ApiError::Internal(cause)) = (outlet.is_streaming(), &error) {
            tracing::error!(endpoint = endpoint.name, cause, "an answer broke off");
        }
        return Err(outlet.refusal().unwrap_or(error));
    }
    outlet.finish()
}

/// Reads a body to its end, wanted or not, so that the connection can be used again; refuses one that is too large.
async fn read<B: Buf>(
    body: impl Stream<Item = Result<B, warp::Error>>,
    most: usize,
    mut hold: impl FnMut(usize) -> Result<(), ApiError>,
) -> Result<Vec<u8>, ApiError> {
    let mut body = pin!(body);
    let (mut bytes, mut held) = (Vec::new(), 0);
    while let Some(part) = body.next().await {
        let mut part =
            part.map_err(|_| ApiError::BadRequest("the body broke off; send it whole".to_owned()))?;
        if part.remaining() > most - bytes.len() {
            return Err(ApiError::BodyTooLarge(most));
        }
        if bytes.len() + part.remaining() > held {
            let step = part.remaining().max(BODY_STEP_BYTES);
            hold(step)?;
            held += step;
        }
        while part.has_remaining() {
            let chunk = part.chunk();
            bytes.extend_from_slice(chunk);
            part.advance(chunk.len());
        }
    }
    Ok(bytes)
}
