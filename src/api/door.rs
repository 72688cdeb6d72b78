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
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
use http::{HeaderValue, Method};
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
use super::connection::{AnswerRoom, Connections, Cut, Head, Holds};
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
    room: AnswerRoom,
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
    Whole { answer: Arc<Representation>, lasting: bool, holds: Option<Holds> },
    Streamed { streamed: Streamed, wanted: CancelOnDrop },
}

/// Bytes of an answer from which on it counts in the memory of answers: smaller ones fit the buffers of their connection.
const COUNTED_BYTES: usize = 4 << 10;
/// Bytes of a body that memory is taken for at once.
const BODY_STEP_BYTES: usize = 16 << 10;
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
        let memory = AnswerMemory::new(config.answer_memory_bytes, config.answer_memory_per_client_bytes);
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
            room: AnswerRoom::new(memory, connections.clone()),
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
        head: &Head,
        body: impl Stream<Item = Result<B, warp::Error>>,
    ) -> Result<Response, ApiError> {
        let (path, query) = (head.path(), head.query());
        if head.is_safe() && routes::is_probe(path) {
            head.exchange.note_read();
            return self.health().await;
        }
        let is_metrics = path == metrics::PATH;
        if is_metrics && self.state.config.metrics_open {
            return self.metrics(head).await;
        }
        let visitor = self.authenticator.check(head).await?;
        let client = visitor.client();
        if let Some(limiter) = &self.limiter {
            limiter.take(&client, Instant::now()).map_err(ApiError::TooMany)?;
        }
        if is_metrics {
            return self.metrics(head).await;
        }
        let (format, wish) = (Format::accepted(&head.headers), Wish::accepted(&head.headers));
        let asked = AnswerKey { path, query, format, wish };
        // Before any snapshot that the answer may be computed from.
        let change_number = self.state.store.change_number();
        if head.is_repeatable()
            && let Some(answer) = self.kept(&asked, change_number).await?
        {
            let response = answer.response(&head.headers).into_response();
            return Ok(match answer.len() {
                ..COUNTED_BYTES => response,
                bytes => holding(response, Some(Holds { bytes, client, kept: answer as Arc<_> })),
            });
        }
        let deadline = Deadline::after(self.state.config.deadline.0);
        let question = self.question(head, body, &client).await?;
        match self.compute(question, deadline, client).await? {
            Computed::Whole { answer, holds, .. } if !head.is_safe() => {
                Ok(holding(answer.untagged().into_response(), holds))
            }
            Computed::Whole { answer, lasting, holds } => {
                let response = answer.response(&head.headers).into_response();
                if lasting && head.is_repeatable() {
                    self.answers.put(&asked, change_number, answer);
                }
                Ok(holding(response, holds))
            }
            Computed::Streamed { streamed, wanted } => Ok(self.stream(head, change_number, streamed, wanted)),
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

    async fn metrics(&self, head: &Head) -> Result<Response, ApiError> {
        head.exchange.note_read();
        if !head.is_safe() {
            return Err(ApiError::MethodNotAllowed {
                path: head.path().to_owned(),
                method: head.method.to_string(),
                allow: "GET, HEAD".to_owned(),
            });
        }
        let (state, requests, answers) =
            (Arc::clone(&self.state), Arc::clone(&self.requests), Arc::clone(&self.answers));
        let gate = GateFigures {
            turns: self.turns.figures(),
            connections: self.connections.clone(),
            logins: Arc::clone(&self.authenticator),
            answer_bytes: self.room.bytes(),
        };
        let text = self.workers.run(move || metrics::text(&state, &requests, &answers, &gate)).await?;
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
        let room = self.room.clone();
        let recode = move || {
            let answer = plain.recoded(wish, least)?;
            let reserved = room.reserve(answer.len())?;
            Ok(answer.counted(reserved))
        };
        let answer = Arc::new(self.workers.run(recode).await?);
        self.answers.put(asked, change_number, Arc::clone(&answer));
        Ok(Some(answer))
    }

    /// Reads the request to its end and finds out what it asks.
    async fn question<B: Buf>(
        &self,
        head: &Head,
        body: impl Stream<Item = Result<B, warp::Error>>,
        client: &Client,
    ) -> Result<Question, ApiError> {
        let Head { method, headers, .. } = head;
        let (path, query) = (head.path(), head.query());
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
        if head.body_bytes().is_some_and(|bytes| bytes > most as u64) {
            return Err(ApiError::BodyTooLarge(most));
        }
        let mut held = Vec::new();
        let hold = |bytes: usize| {
            held.push(self.room.try_take(client, bytes)?);
            Ok(())
        };
        let reading = tokio::time::timeout(self.state.config.body_timeout.0, read(body, most, hold));
        let body = reading.await.map_err(|_| {
            self.connections.count(Cut::Body);
            ApiError::BodyTimeout
        })??;
        head.exchange.note_read();
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
        let outgoing = Outgoing {
            coding: question.wish.coding,
            piece_bytes: self.state.config.stream_piece_bytes,
            runtime: Handle::current(),
            begun,
            gate: Gate {
                membership: Membership::of(&client, &self.state.store),
                client: client.clone(),
                turn,
                streams: self.streams.clone(),
                room: self.room.clone(),
            },
        };
        let (state, room) = (Arc::clone(&self.state), self.room.clone());
        let working = self.workers.run(move || {
            let finished = work(&question, &state, &deadline, outgoing)?;
            let Some(Finished { content, turn }) = finished else { return Ok(None) };
            let lasting = content.lasting;
            let answer = Representation::new(content, question.wish, state.config.compress_min_bytes)?;
            let held = hold(answer, lasting, &client, &room).map(Some);
            drop(turn);
            held
        });
        if let Ok(streamed) = streaming.await {
            return Ok(Computed::Streamed { streamed, wanted });
        }
        working.await?.ok_or_else(|| ApiError::Internal("an answer was streamed to nobody".to_owned()))
    }

    /// The response that an answer comes in as it is made.
    fn stream(&self, head: &Head, change_number: u64, streamed: Streamed, wanted: CancelOnDrop) -> Response {
        let (about, coding, kept) = (streamed.about.clone(), streamed.coding, streamed.holds.clone());
        // Of an answer that does not hold for a whole state of the store, that state says nothing.
        let tag = streamed.lasting.then(|| weak_tag(self.process, change_number, about.format, coding));
        if let Some(tag) = &tag
            && holds(&head.headers, tag)
        {
            return not_modified::<bytes::Bytes>(&about, tag).into_response();
        }
        let mut response = warp::reply::stream(streamed.into_bytes(wanted)).into_response();
        about.write(coding, response.headers_mut());
        response.headers_mut().extend(tag.map(|tag| (ETAG, tag)));
        holding(response, Some(kept))
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
fn holding(mut response: Response, holds: Option<Holds>) -> Response {
    if let Some(holds) = holds {
        response.extensions_mut().insert(holds);
    }
    response
}

/// Takes memory for a whole answer that was made for a client, until it is read.
fn hold(
    answer: Representation,
    lasting: bool,
    client: &Client,
    room: &AnswerRoom,
) -> Result<Computed, ApiError> {
    let bytes = answer.len();
    if bytes < COUNTED_BYTES {
        return Ok(Computed::Whole { answer: Arc::new(answer), lasting, holds: None });
    }
    let (charged, reserved) = room.take(client, bytes)?;
    let answer = Arc::new(answer.counted(reserved));
    let kept = Arc::new((charged, Arc::clone(&answer)));
    Ok(Computed::Whole { answer, lasting, holds: Some(Holds { bytes, client: client.clone(), kept }) })
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
