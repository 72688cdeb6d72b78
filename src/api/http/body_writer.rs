//! The writer that an endpoint sends its response to. JSON and short responses are buffered whole. Any other response
//! is streamed in chunks while it is computed.
//!
//! The writing side blocks and the reading side is async. A channel of a few chunks connects them, so memory is bounded
//! for any length of the response and any speed of the reader. The computation ends when the reader disconnects or its
//! connection is cut. If it fails midway, the reader sees a broken transfer, never one that looks complete.

use std::io::{self, Write};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::poll_fn;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use super::admission::{ByteReservation, Client, ClientCharge, FairQueue, Permit, QuerySlot, Refused};
use super::auth::AccessCheck;
use super::compression::Compressor;
use super::connection::{HeldMemory, MessageMemory};
use super::negotiation::ContentCoding;
use super::representation::{Rendered, ResponseMeta};
use crate::api::ApiError;
use crate::api::reply::columnar::TableSink;
use crate::api::reply::headers::Header;
use crate::api::reply::provenance::{JsonReply, Provenance};
use crate::query::Deadline;

/// At most this many chunks wait for the reader.
const MAX_WAITING_CHUNKS: usize = 8;

/// How a response is delivered to its client.
pub struct Delivery {
    /// The content coding of a streamed response.
    pub coding: ContentCoding,
    /// The size of a chunk. A response of at least this many bytes is streamed.
    pub chunk_bytes: usize,
    /// The runtime of the reader.
    pub runtime: Handle,
    /// Receives the response when streaming starts.
    pub started: oneshot::Sender<StreamedResponse>,
    pub admission: StreamAdmission,
}

/// The resources of a stream: one of `api.max_concurrent_streams` slots, and memory for its chunks.
pub struct StreamAdmission {
    pub client: Client,
    /// The slot of the query. It is released when streaming starts, because from then on the client sets the pace.
    pub query_slot: QuerySlot,
    pub stream_slots: FairQueue<Client>,
    pub message_memory: MessageMemory,
    pub access: AccessCheck,
}

/// A response that is being streamed.
pub struct StreamedResponse {
    pub meta: ResponseMeta,
    pub coding: ContentCoding,
    /// Whether the same request gets the same response until the next commit.
    pub cacheable: bool,
    /// The memory of the chunks, to be held until the last one is sent.
    pub held: HeldMemory,
    chunks: mpsc::Receiver<Chunk>,
}

/// A response that was buffered whole, and the slot of its query.
pub struct WholeResponse {
    pub rendered: Rendered,
    pub query_slot: Option<QuerySlot>,
}

enum Chunk {
    Bytes(Bytes),
    /// The response is complete. A stream without it is truncated.
    End,
}

/// Takes the bytes of a response.
pub struct BodyWriter<'a> {
    deadline: &'a Deadline,
    meta: ResponseMeta,
    cacheable: bool,
    /// `None` when streaming has started.
    delivery: Option<Delivery>,
    buffer: Vec<u8>,
    stream: Option<Compressor<ChunkSender<'a>>>,
    permit: Option<Permit<Client>>,
    /// The client, and the memory from which encoded rows are reserved.
    memory: (Client, MessageMemory),
    reserved: Vec<(ClientCharge, ByteReservation)>,
    refusal: Option<ApiError>,
}

impl<'a> BodyWriter<'a> {
    pub fn new(delivery: Delivery, deadline: &'a Deadline) -> Self {
        let memory = (delivery.admission.client.clone(), delivery.admission.message_memory.clone());
        Self {
            deadline,
            meta: ResponseMeta::json(false),
            cacheable: false,
            delivery: Some(delivery),
            buffer: Vec::new(),
            stream: None,
            permit: None,
            memory,
            reserved: Vec::new(),
            refusal: None,
        }
    }

    /// Sets a whole body in JSON.
    pub fn set_json(&mut self, reply: JsonReply, varies_by_accept: bool) {
        self.meta = ResponseMeta { state: reply.state, ..ResponseMeta::json(varies_by_accept) };
        self.cacheable = reply.cacheable;
        self.buffer = reply.body;
    }

    /// Sets the metadata of a response in another format, and what it was computed from. To be called before the first
    /// byte is written.
    pub fn set_meta(&mut self, meta: ResponseMeta, provenance: &Provenance) {
        self.meta = ResponseMeta { state: provenance.state(), ..meta };
        self.cacheable = provenance.is_cacheable();
    }

    /// Replaces a header after the body is written. Has no effect once streaming has started.
    pub fn set_header(&mut self, (name, value): Header) {
        self.meta.extra_headers.retain(|(known, _)| *known != name);
        self.meta.extra_headers.push((name, value));
    }

    /// Whether streaming has started.
    pub fn is_streaming(&self) -> bool {
        self.delivery.is_none()
    }

    /// Ends the response, and returns it if it was not streamed.
    ///
    /// # Errors
    /// [`ApiError::Deadline`] when the reader has disconnected.
    pub fn finish(mut self) -> Result<Option<WholeResponse>, ApiError> {
        let Some(stream) = self.stream.take() else {
            let rendered = Rendered { body: self.buffer, meta: self.meta, cacheable: self.cacheable };
            let query_slot = self.delivery.map(|delivery| delivery.admission.query_slot);
            return Ok(Some(WholeResponse { rendered, query_slot }));
        };
        let mut sender = stream.finish()?;
        sender.flush()?;
        sender.send(Chunk::End)?;
        Ok(None)
    }

    /// Takes the reason why streaming was refused. The error of the failed write does not say it.
    pub fn take_refusal(&mut self) -> Option<ApiError> {
        self.refusal.take()
    }

    /// Waits for a stream slot, and starts to stream what is buffered.
    fn start_stream(&mut self, delivery: Delivery) -> io::Result<()> {
        let Delivery { coding, chunk_bytes, runtime, started, admission } = delivery;
        let coding = self.meta.format.coding(coding);
        let (permit, held, access) =
            admission.admit(&runtime, chunk_bytes, self.deadline).map_err(|error| {
                self.refusal = Some(error);
                disconnected()
            })?;
        self.permit = Some(permit);
        let (chunks, receiver) = mpsc::channel(MAX_WAITING_CHUNKS);
        let streamed = StreamedResponse {
            meta: self.meta.clone(),
            coding,
            cacheable: self.cacheable,
            held,
            chunks: receiver,
        };
        started.send(streamed).map_err(|_| disconnected())?;
        let sender =
            ChunkSender { chunk: Vec::new(), chunk_bytes, chunks, runtime, deadline: self.deadline, access };
        let mut stream = Compressor::new(coding, sender)?;
        stream.write_all(&std::mem::take(&mut self.buffer))?;
        self.stream = Some(stream);
        Ok(())
    }
}

impl StreamAdmission {
    /// Waits for a stream slot, and reserves memory for all chunks that can exist at once.
    fn admit(
        self,
        runtime: &Handle,
        chunk_bytes: usize,
        deadline: &Deadline,
    ) -> Result<(Permit<Client>, HeldMemory, AccessCheck), ApiError> {
        let Self { client, query_slot, stream_slots, message_memory, access } = self;
        drop(query_slot);
        // The waiting chunks, the one that is written and the one that is compressed.
        let bytes = chunk_bytes.saturating_mul(MAX_WAITING_CHUNKS + 2);
        let memory = message_memory.reserve_for(&client, bytes)?;
        let waiting =
            async { tokio::time::timeout(deadline.remaining(), stream_slots.acquire(client.clone())).await };
        let permit = runtime.block_on(waiting).map_err(|_| ApiError::Overloaded)?;
        let permit = permit.map_err(|Refused| ApiError::Overloaded)?;
        deadline.check()?;
        Ok((permit, HeldMemory { bytes, client, memory: Arc::new(memory) }, access))
    }
}

impl TableSink for &mut BodyWriter<'_> {
    fn reserve(&mut self, bytes: usize) -> Result<(), ApiError> {
        let (client, memory) = &self.memory;
        self.reserved.push(memory.reserve_for(client, bytes)?);
        Ok(())
    }
}

impl Write for BodyWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(stream) = &mut self.stream {
            return stream.write(bytes);
        }
        self.buffer.extend_from_slice(bytes);
        if let Some(delivery) = self.delivery.take_if(|delivery| self.buffer.len() >= delivery.chunk_bytes) {
            self.start_stream(delivery)?;
        }
        Ok(bytes.len())
    }

    /// Does nothing: only full chunks are sent.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Collects bytes into chunks and sends them to the reader.
struct ChunkSender<'a> {
    chunk: Vec<u8>,
    chunk_bytes: usize,
    chunks: mpsc::Sender<Chunk>,
    runtime: Handle,
    deadline: &'a Deadline,
    access: AccessCheck,
}

impl ChunkSender<'_> {
    /// Sends a chunk. Blocks while the channel is full.
    fn send(&mut self, chunk: Chunk) -> io::Result<()> {
        if !self.access.is_allowed().map_err(io::Error::other)? {
            return Err(disconnected());
        }
        // The connection limits how long a client may take: it drops the receiver.
        self.runtime.block_on(self.chunks.send(chunk)).map_err(|_| disconnected())?;
        self.deadline.renew();
        Ok(())
    }
}

impl Write for ChunkSender<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.chunk.extend_from_slice(bytes);
        if self.chunk.len() >= self.chunk_bytes {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.chunk.is_empty() {
            return Ok(());
        }
        let chunk = std::mem::take(&mut self.chunk);
        self.send(Chunk::Bytes(chunk.into()))
    }
}

impl StreamedResponse {
    /// Returns the chunks as they are computed. `guard` lives as long as the stream.
    pub fn into_stream<T: Unpin + Send + Sync + 'static>(
        self,
        guard: T,
    ) -> impl Stream<Item = io::Result<Bytes>> + Send + Sync + 'static {
        let mut chunks = self.chunks;
        poll_fn(move |context| {
            let _guard = &guard;
            chunks.poll_recv(context).map(|chunk| match chunk {
                Some(Chunk::Bytes(bytes)) => Some(Ok(bytes)),
                Some(Chunk::End) => None,
                None => Some(Err(io::Error::other("the response failed before its end"))),
            })
        })
    }
}

fn disconnected() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the client has stopped reading")
}
