//! The door that every request passes: credentials, rate, answers kept, path, method, sizes; then it is computed. Probes
//! alone are answered before all that.
//!
//! What is kept is answered on the async thread, without reading parameters or touching the store. Everything else is
//! computed on a blocking thread when it is its turn; answers in other formats than JSON, which a slow reader may
//! hold up, have turns of their own. A client that goes away takes its query along.

use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{Stream, StreamExt};
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Method};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, oneshot};
use warp::reply::Response;
use warp::{Buf, Reply};

use super::answers::{AnswerKey, Answers};
use super::auth::{Authenticator, PasswordError};
use super::negotiate::{Format, Wish};
use super::outlet::{Outgoing, Outlet, Streamed};
use super::params::shorten;
use super::probe::Probe;
use super::rate::Limiter;
use super::representation::{Representation, holds, not_modified, weak_tag};
use super::requests::Requests;
use super::{ApiError, ApiState, Call, Endpoint, Params, Posted, exposition, metrics, routes};
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
    limiter: Option<Arc<Limiter>>,
    answers: Arc<Answers>,
    requests: Arc<Requests>,
    probe: Probe,
    /// One per query that may be computed now.
    turns: Arc<Semaphore>,
    /// One per answer that may be streamed now.
    streams: Arc<Semaphore>,
    /// Different in every process: numbers of changes may be the same in two stores.
    process: u64,
}

/// A question to an endpoint, ready to be computed.
struct Question {
    endpoint: &'static Endpoint,
    params: Params,
    posted: Option<Posted>,
    accepted: Format,
    wish: Wish,
}

/// An answer that was computed, or has begun to be.
enum Computed {
    Whole { answer: Representation, lasting: bool },
    Streamed { streamed: Streamed, wanted: CancelOnDrop },
}

impl Request<'_> {
    /// Whether the answer may be one that was given before, and may be given again.
    fn is_repeatable(&self) -> bool {
        let has_body =
            self.headers.contains_key(CONTENT_LENGTH) || self.headers.contains_key(TRANSFER_ENCODING);
        self.is_safe() && !has_body
    }

    fn is_safe(&self) -> bool {
        self.method == Method::GET || self.method == Method::HEAD
    }
}

impl Door {
    /// # Errors
    /// [`PasswordError`] when the system has no randomness to give.
    pub fn new(state: ApiState) -> Result<Self, PasswordError> {
        let limiter = Limiter::new(&state.config).map(Arc::new);
        Ok(Self {
            authenticator: Arc::new(Authenticator::new(&state, limiter.clone())?),
            limiter,
            answers: Arc::new(Answers::new(state.config.answer_cache_bytes)),
            requests: Arc::new(Requests::new()),
            probe: Probe::new(&state.store, state.config.health_timeout.0),
            turns: Arc::new(Semaphore::new(state.config.max_concurrent_queries)),
            streams: Arc::new(Semaphore::new(state.config.max_concurrent_streams)),
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
        address: IpAddr,
        body: impl Stream<Item = Result<B, warp::Error>>,
    ) -> Result<Response, ApiError> {
        if request.is_safe() && routes::is_probe(request.path) {
            return self.health().await;
        }
        if request.path == metrics::PATH && self.state.config.metrics_open {
            return self.metrics(request).await;
        }
        let visitor = self.authenticator.check(request.headers, address).await?;
        if let Some(limiter) = &self.limiter {
            limiter.take(&visitor.client(), Instant::now()).map_err(ApiError::TooMany)?;
        }
        if request.path == metrics::PATH {
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
            return Ok(answer.response(headers).into_response());
        }
        let deadline = Deadline::after(self.state.config.deadline.0);
        let question = self.question(request, body, &deadline).await?;
        match self.compute(question, deadline).await? {
            Computed::Whole { answer, .. } if !request.is_safe() => Ok(answer.untagged().into_response()),
            Computed::Whole { answer, lasting } => {
                let answer = Arc::new(answer);
                if lasting && request.is_repeatable() {
                    self.answers.put(&asked, change_number, Arc::clone(&answer));
                }
                Ok(answer.response(headers).into_response())
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
        let text = off_thread(move || metrics::text(&state, &requests, &answers)).await?;
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
        let answer = Arc::new(off_thread(move || Ok(plain.recoded(wish, least)?)).await?);
        self.answers.put(asked, change_number, Arc::clone(&answer));
        Ok(Some(answer))
    }

    /// Reads the request to its end and finds out what it asks.
    async fn question<B: Buf>(
        &self,
        request: &Request<'_>,
        body: impl Stream<Item = Result<B, warp::Error>>,
        deadline: &Deadline,
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
        let reading = read(body, self.state.config.max_body_bytes);
        let body = tokio::time::timeout(deadline.left(), reading).await.map_err(|_| ApiError::Deadline)??;
        Ok(Question {
            endpoint,
            params: Params::parse(query)?,
            posted: (method == Method::POST).then(|| Posted::new(headers, body)),
            accepted: Format::accepted(headers),
            wish: Wish::accepted(headers),
        })
    }

    /// Computes the answer on a blocking thread, when it is its turn.
    async fn compute(&self, question: Question, deadline: Deadline) -> Result<Computed, ApiError> {
        let waiting = Arc::clone(self.turns_of(&question)?).acquire_owned();
        let turn = tokio::time::timeout(deadline.left(), waiting)
            .await
            .map_err(|_| ApiError::Deadline)?
            .map_err(|error| ApiError::Internal(error.to_string()))?;
        let wanted = deadline.cancel_on_drop();
        let (begun, streaming) = oneshot::channel();
        let outgoing = Outgoing {
            coding: question.wish.coding,
            piece_bytes: self.state.config.stream_piece_bytes,
            runtime: Handle::current(),
            begun,
        };
        let state = Arc::clone(&self.state);
        let working = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work(&question, &state, &deadline, outgoing)
        });
        if let Ok(streamed) = streaming.await {
            return Ok(Computed::Streamed { streamed, wanted });
        }
        let done = working.await.map_err(|error| ApiError::Internal(error.to_string()))??;
        done.ok_or_else(|| ApiError::Internal("an answer was streamed to nobody".to_owned()))
    }

    fn turns_of(&self, question: &Question) -> Result<&Arc<Semaphore>, ApiError> {
        let format = question.params.format()?.unwrap_or(question.accepted);
        let streams = question.endpoint.answer.is_tabular() && format != Format::Json;
        Ok(if streams { &self.streams } else { &self.turns })
    }

    /// The response that an answer comes in as it is made.
    fn stream(
        &self,
        request: &Request<'_>,
        change_number: u64,
        streamed: Streamed,
        wanted: CancelOnDrop,
    ) -> Response {
        let (about, coding) = (streamed.about.clone(), streamed.coding);
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
        response
    }
}

/// Computes an answer. `None` when it was streamed.
fn work(
    question: &Question,
    state: &ApiState,
    deadline: &Deadline,
    outgoing: Outgoing,
) -> Result<Option<Computed>, ApiError> {
    let Question { endpoint, params, posted, accepted, wish } = question;
    let call = Call::new(endpoint, params, posted.as_ref(), state, deadline, *accepted)?;
    let mut outlet = Outlet::new(outgoing, deadline);
    if let Err(error) = call.answer(&mut outlet) {
        if let (true, ApiError::Internal(cause)) = (outlet.is_streaming(), &error) {
            tracing::error!(endpoint = endpoint.name, cause, "an answer broke off");
        }
        return Err(error);
    }
    let Some(content) = outlet.finish()? else { return Ok(None) };
    let lasting = content.lasting;
    let answer = Representation::new(content, *wish, state.config.compress_min_bytes)?;
    Ok(Some(Computed::Whole { answer, lasting }))
}

async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| ApiError::Internal(error.to_string()))?
}

/// Reads a body to its end, wanted or not, so that the connection can be used again; refuses one that is too large.
async fn read<B: Buf>(
    body: impl Stream<Item = Result<B, warp::Error>>,
    most: usize,
) -> Result<Vec<u8>, ApiError> {
    let mut body = pin!(body);
    let mut bytes = Vec::new();
    while let Some(part) = body.next().await {
        let mut part =
            part.map_err(|_| ApiError::BadRequest("the body broke off; send it whole".to_owned()))?;
        if part.remaining() > most - bytes.len() {
            return Err(ApiError::BodyTooLarge(most));
        }
        while part.has_remaining() {
            let chunk = part.chunk();
            bytes.extend_from_slice(chunk);
            part.advance(chunk.len());
        }
    }
    Ok(bytes)
}
