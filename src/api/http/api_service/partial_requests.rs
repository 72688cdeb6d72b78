//! Requests for the length of a Parquet response (HEAD), and for parts of it (Range).
//!
//! The response is computed once, as for any client, and kept as a file. Everything else is answered as if there were
//! no ranges.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use futures_util::{StreamExt, TryFutureExt};
use http::header::{ACCEPT_RANGES, HeaderName, IF_MATCH, IF_RANGE, RANGE};
use http::{HeaderValue, Method};
use warp::Reply;
use warp::reply::Response;

use super::{ApiService, with_held_memory};
use crate::api::ApiError;
use crate::api::QueryString;
use crate::api::http::admission::Client;
use crate::api::http::auth::Identity;
use crate::api::http::connection::{HeldMemory, RequestHead};
use crate::api::http::execution::ComputedResponse;
use crate::api::http::kept_files::{FileReader, KeptFile, KeptFileWriter, RequestedPart, requested_part};
use crate::api::http::negotiation::{AcceptedCoding, Format};
use crate::api::http::representation::{ResponseMeta, matches_if_none_match, not_modified, tags_of};
use crate::api::http::response_cache::CacheKey;
use crate::api::request::context::requested_format;
use crate::query::Deadline;

/// What a partial request gets.
enum PartialAnswer {
    File(Arc<KeptFile>),
    /// The whole response, without ranges.
    Whole,
}

impl ApiService {
    /// Returns the response from a kept file; `None` for a request that gets the whole response.
    pub(super) async fn partial_response(
        &self,
        head: &RequestHead,
        identity: &Identity,
        key: &CacheKey,
    ) -> Result<Option<Response>, ApiError> {
        if !self.kept_files.is_enabled() || !head.is_cacheable() || !self.asks_for_parquet(head, key.format) {
            return Ok(None);
        }
        let key = CacheKey { format: Format::Parquet, accepted: AcceptedCoding::NONE, ..key.clone() };
        match self.partial_answer(head, identity, &key).await? {
            PartialAnswer::File(file) => self.file_response(head, file, &identity.client()).await.map(Some),
            PartialAnswer::Whole => Ok(None),
        }
    }

    /// Whether the response to a valid request is a Parquet file. The word is looked for first, because most requests
    /// do not have it.
    fn asks_for_parquet(&self, head: &RequestHead, accepted_format: Format) -> bool {
        if accepted_format != Format::Parquet && !head.query().contains("parquet") {
            return false;
        }
        let Ok(endpoint) = self.requested_endpoint(head.path(), head.query(), &head.method) else {
            return false;
        };
        let format = QueryString::parse(head.query())
            .and_then(|params| requested_format(endpoint, &params, accepted_format));
        matches!(format, Ok(Format::Parquet))
    }

    /// Returns the file that a request is about. It is made if there is none.
    async fn partial_answer(
        &self,
        head: &RequestHead,
        identity: &Identity,
        key: &CacheKey,
    ) -> Result<PartialAnswer, ApiError> {
        let change_number = self.state.store.change_number();
        let named = |name: &HeaderName| {
            let tags = tags_of(&head.headers, name);
            self.kept_files.tagged(key, |etag| tags.iter().any(|tag| *tag == etag.as_bytes()))
        };
        let is_head = head.method == Method::HEAD;
        if !is_head && !head.headers.contains_key(RANGE) {
            let current = self.kept_files.current(key, change_number);
            return Ok(current.map_or(PartialAnswer::Whole, PartialAnswer::File));
        }
        if head.headers.contains_key(IF_MATCH) && head.headers.get(IF_MATCH) != Some(&ANY_TAG) {
            return named(&IF_MATCH).map(PartialAnswer::File).ok_or(ApiError::ChangedFile);
        }
        if head.headers.contains_key(IF_RANGE) && !is_head {
            return Ok(named(&IF_RANGE).map_or(PartialAnswer::Whole, PartialAnswer::File));
        }
        let reader = if is_head { FileReader::New } else { FileReader::Unknown };
        let find = || self.kept_files.find(key, change_number, reader);
        let found = match find() {
            Some(found) => found,
            None => {
                let maker = self.kept_files.maker(key);
                let _one_makes_it = maker.lock().await;
                match find() {
                    Some(found) => found,
                    None => self.make_file(head, identity, key).await?,
                }
            }
        };
        Ok(found.map_or(PartialAnswer::Whole, PartialAnswer::File))
    }

    /// Computes the response, and keeps it; `None` if it does not fit.
    async fn make_file(
        &self,
        head: &RequestHead,
        identity: &Identity,
        key: &CacheKey,
    ) -> Result<Option<Arc<KeptFile>>, ApiError> {
        // Read before any snapshot that the response may be computed from.
        let change_number = self.state.store.change_number();
        let no_body = stream::empty::<Result<Bytes, warp::Error>>();
        let formats = (Format::from_accept(&head.headers), AcceptedCoding::NONE);
        let request = self.read_request(head, no_body, &identity.client(), formats).await?;
        let deadline = Deadline::after(self.state.config.deadline.0);
        let (meta, is_current, written) = match self.compute(request, deadline, identity).await? {
            ComputedResponse::Whole { representation, cacheable, held: _ } => {
                let body = representation.body().clone();
                let written = self.write_file(stream::iter([Ok(body)])).await?;
                (representation.meta().clone(), cacheable, written)
            }
            ComputedResponse::Streamed { response, cancel_guard } => {
                let (meta, cacheable, held) =
                    (response.meta.clone(), response.cacheable, response.held.clone());
                let written = self.write_file(response.into_stream((cancel_guard, held))).await?;
                (meta, cacheable, written)
            }
        };
        let file = written.map(|writer| self.finish_file(writer, meta, is_current.then_some(change_number)));
        self.kept_files.keep(key.clone(), file.clone());
        Ok(file)
    }

    fn finish_file(&self, writer: KeptFileWriter, meta: ResponseMeta, change: Option<u64>) -> Arc<KeptFile> {
        Arc::new(writer.finish(meta, change))
    }

    /// Writes a file; `None` if it does not fit, or the disk fails.
    async fn write_file(
        &self,
        chunks: impl Stream<Item = io::Result<Bytes>>,
    ) -> Result<Option<KeptFileWriter>, ApiError> {
        let begun = self.kept_files.begin();
        let mut writer = match begun {
            Ok(writer) => writer,
            Err(error) => return Ok(log_failure(&error)),
        };
        let mut chunks = std::pin::pin!(chunks);
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk?;
            let write = move || {
                let written = writer.write(&chunk);
                Ok(written.map(|()| writer))
            };
            writer = match self.worker_pool.run(write).await? {
                Ok(writer) => writer,
                Err(error) => return Ok(log_failure(&error)),
            };
        }
        Ok(Some(writer))
    }

    /// Returns the part of a file that a request asks for. `Range` applies to GET alone.
    async fn file_response(
        &self,
        head: &RequestHead,
        file: Arc<KeptFile>,
        client: &Client,
    ) -> Result<Response, ApiError> {
        if matches_if_none_match(&head.headers, file.etag()) {
            return Ok(not_modified::<Bytes>(file.meta(), file.etag()).into_response());
        }
        let is_head = head.method == Method::HEAD;
        let part = match requested_part(&head.headers, file.len()) {
            RequestedPart::Part(part) if !is_head => Some(part),
            RequestedPart::Unsatisfiable if !is_head => return Err(ApiError::NoSuchRange(file.len())),
            _ => None,
        };
        let bytes = part.clone().unwrap_or(0..file.len());
        let mut response = if is_head {
            http::Response::new(Bytes::new()).into_response()
        } else {
            self.file_body(Arc::clone(&file), bytes, client).await?
        };
        *response.status_mut() = file.write_headers(part.as_ref(), response.headers_mut());
        Ok(response)
    }

    /// Returns a response with these bytes of a file. More than one chunk is read while the client reads.
    async fn file_body(
        &self,
        file: Arc<KeptFile>,
        part: Range<u64>,
        client: &Client,
    ) -> Result<Response, ApiError> {
        let chunk_bytes = self.state.config.stream_piece_bytes as u64;
        let held_bytes = usize::try_from((part.end - part.start).min(2 * chunk_bytes)).unwrap_or(usize::MAX);
        let memory = Arc::new(self.message_memory.try_reserve_for(client, held_bytes)?);
        let held = HeldMemory { bytes: held_bytes, client: client.clone(), memory };
        let pool = Arc::clone(&self.worker_pool);
        let read = move |part: Range<u64>| {
            let file = Arc::clone(&file);
            pool.run(move || Ok(file.read(part)?))
        };
        if part.end - part.start <= chunk_bytes {
            let response = http::Response::new(read(part).await?);
            return Ok(with_held_memory(response.into_response(), Some(held)));
        }
        let chunks = stream::try_unfold(part, move |rest: Range<u64>| {
            let end = rest.end.min(rest.start.saturating_add(chunk_bytes));
            let chunk = (rest.start < rest.end).then(|| read(rest.start..end));
            async move {
                let Some(chunk) = chunk else { return Ok(None) };
                let bytes = chunk.map_err(io::Error::other).await?;
                Ok::<_, io::Error>(Some((bytes, end..rest.end)))
            }
        });
        Ok(with_held_memory(warp::reply::stream(chunks).into_response(), Some(held)))
    }
}

/// `If-Match: *`.
const ANY_TAG: HeaderValue = HeaderValue::from_static("*");

fn log_failure(error: &io::Error) -> Option<KeptFileWriter> {
    if error.kind() != io::ErrorKind::FileTooLarge {
        tracing::warn!(%error, "a Parquet response could not be kept as a file and is served without ranges");
    }
    None
}

/// Says that a Parquet response without a file has no ranges. HEAD gets the headers of a file otherwise.
pub(super) fn refuse_ranges(head: &RequestHead, response: &mut Response) {
    if head.method == Method::HEAD {
        response.headers_mut().insert(ACCEPT_RANGES, HeaderValue::from_static("none"));
    }
}
