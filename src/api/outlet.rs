//! Where an answer is written: kept whole while it is short, or JSON; sent piece by piece while it is made otherwise.
//!
//! The writing side blocks, the reading side is async; between them stands a channel of few pieces, so that memory is
//! bounded however long the answer and however slow its reader. A reader who goes away, or is cut off by its connection,
//! ends the work. An answer that fails midway breaks off: its reader sees a broken transfer, never one that looks complete.

use std::io::{self, Write};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::poll_fn;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use super::ApiError;
use super::admission::{Client, FairQueue, Place, Refused, Turn};
use super::auth::Membership;
use super::beside::Header;
use super::compress::Compressor;
use super::connection::{AnswerRoom, Holds};
use super::negotiate::Coding;
use super::representation::{About, Content};
use crate::query::Deadline;

/// Pieces that wait for the reader at most.
const WAITING_PIECES: usize = 8;

/// How an answer goes out.
pub struct Outgoing {
    /// The coding of an answer that is streamed.
    pub coding: Coding,
    /// Bytes from which on an answer is streamed, and of a piece.
    pub piece_bytes: usize,
    /// The runtime that the reader lives on.
    pub runtime: Handle,
    /// Told when the answer begins to be streamed.
    pub begun: oneshot::Sender<Streamed>,
    pub gate: Gate,
}

/// What an answer needs to be streamed: a place among `api.max_concurrent_streams`, and memory for its pieces.
pub struct Gate {
    pub client: Client,
    /// Of the query; given back when the answer is streamed, for then it is the client who says how long that takes.
    pub turn: Turn,
    pub streams: FairQueue<Client>,
    pub room: AnswerRoom,
    pub membership: Membership,
}

/// An answer that has begun.
pub struct Streamed {
    pub about: About,
    pub coding: Coding,
    /// Whether the same request is answered the same as long as nothing is stored.
    pub lasting: bool,
    /// To be kept as long as there are pieces.
    pub holds: Holds,
    pieces: mpsc::Receiver<Piece>,
}

/// A whole answer, and the turn of the query that made it.
pub struct Finished {
    pub content: Content,
    pub turn: Option<Turn>,
}

enum Piece {
    Bytes(Bytes),
    /// Without it, the answer is not complete.
    End,
}

/// Takes an answer's bytes.
pub struct Outlet<'a> {
    deadline: &'a Deadline,
    about: About,
    lasting: bool,
    outgoing: Option<Outgoing>,
    whole: Vec<u8>,
    stream: Option<Compressor<Sender<'a>>>,
    place: Option<Place<Client>>,
    refused: Option<ApiError>,
}

impl<'a> Outlet<'a> {
    pub fn new(outgoing: Outgoing, deadline: &'a Deadline) -> Self {
        Self {
            deadline,
            about: About::json(false),
            lasting: true,
            outgoing: Some(outgoing),
            whole: Vec::new(),
            stream: None,
            place: None,
            refused: None,
        }
    }

    /// Takes a whole answer in JSON.
    pub fn json(&mut self, body: Vec<u8>, by_accept: bool) {
        self.about = About::json(by_accept);
        self.whole = body;
    }

    /// Says what an answer in another format is, before it is written.
    pub fn begin(&mut self, about: About) {
        self.about = about;
    }

    /// Sets a header of an answer that is written already; in vain once the reader has begun to get it.
    pub fn tell(&mut self, (name, value): Header) {
        self.about.beside.retain(|(known, _)| *known != name);
        self.about.beside.push((name, value));
    }

    /// The same request may be answered differently although nothing was stored. Say it before the first byte.
    pub fn passes(&mut self) {
        self.lasting = false;
    }

    /// Whether the reader has begun to get it.
    pub fn is_streaming(&self) -> bool {
        self.outgoing.is_none()
    }

    /// Ends the answer; it is given back if it was not streamed.
    ///
    /// # Errors
    /// When the reader is gone.
    pub fn finish(mut self) -> Result<Option<Finished>, ApiError> {
        let Some(stream) = self.stream.take() else {
            let content = Content { body: self.whole, about: self.about, lasting: self.lasting };
            let turn = self.outgoing.map(|outgoing| outgoing.gate.turn);
            return Ok(Some(Finished { content, turn }));
        };
        let mut sender = stream.finish()?;
        sender.flush()?;
        sender.send(Piece::End)?;
        Ok(None)
    }

    /// Why the answer is not streamed, where it was to be: writing tells no more than that it ended.
    pub fn refusal(&mut self) -> Option<ApiError> {
        self.refused.take()
    }

    /// Begins to stream what has been collected, when it is its client's turn.
    fn start(&mut self, outgoing: Outgoing) -> io::Result<()> {
        let Outgoing { coding, piece_bytes, runtime, begun, gate } = outgoing;
        let (place, holds, membership) =
            gate.pass(&runtime, piece_bytes, self.deadline).map_err(|error| {
                self.refused = Some(error);
                gone()
            })?;
        self.place = Some(place);
        let (pieces, receiver) = mpsc::channel(WAITING_PIECES);
        let streamed =
            Streamed { about: self.about.clone(), coding, lasting: self.lasting, holds, pieces: receiver };
        begun.send(streamed).map_err(|_| gone())?;
        let sender =
            Sender { piece: Vec::new(), piece_bytes, pieces, runtime, deadline: self.deadline, membership };
        let mut stream = Compressor::new(coding, sender)?;
        stream.write_all(&std::mem::take(&mut self.whole))?;
        self.stream = Some(stream);
        Ok(())
    }
}

impl Gate {
    /// Waits for a place, and takes memory for as many pieces as there may be at once.
    fn pass(
        self,
        runtime: &Handle,
        piece_bytes: usize,
        deadline: &Deadline,
    ) -> Result<(Place<Client>, Holds, Membership), ApiError> {
        let Self { client, turn, streams, room, membership } = self;
        drop(turn);
        // Those that wait, the one that is made and the one that is compressed.
        let bytes = piece_bytes.saturating_mul(WAITING_PIECES + 2);
        let taken = room.take(&client, bytes)?;
        let waiting = async { tokio::time::timeout(deadline.left(), streams.acquire(client.clone())).await };
        let place = runtime.block_on(waiting).map_err(|_| ApiError::Overloaded)?;
        let place = place.map_err(|Refused| ApiError::Overloaded)?;
        deadline.check()?;
        Ok((place, Holds { bytes, client, kept: Arc::new(taken) }, membership))
    }
}

impl Write for Outlet<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(stream) = &mut self.stream {
            return stream.write(bytes);
        }
        self.whole.extend_from_slice(bytes);
        if let Some(outgoing) = self.outgoing.take_if(|outgoing| self.whole.len() >= outgoing.piece_bytes) {
            self.start(outgoing)?;
        }
        Ok(bytes.len())
    }

    /// Pieces are full, whoever asks for more haste.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Hands pieces to the reader.
struct Sender<'a> {
    piece: Vec<u8>,
    piece_bytes: usize,
    pieces: mpsc::Sender<Piece>,
    runtime: Handle,
    deadline: &'a Deadline,
    membership: Membership,
}

impl Sender<'_> {
    /// Waits until there is room for the piece.
    fn send(&mut self, piece: Piece) -> io::Result<()> {
        if !self.membership.holds().map_err(io::Error::other)? {
            return Err(gone());
        }
        // How long a client may take is up to its connection, which drops the receiver then.
        self.runtime.block_on(self.pieces.send(piece)).map_err(|_| gone())?;
        self.deadline.renew();
        Ok(())
    }
}

impl Write for Sender<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= self.piece_bytes {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = std::mem::take(&mut self.piece);
        self.send(Piece::Bytes(piece.into()))
    }
}

impl Streamed {
    /// The bytes of the answer, as they are made. `held` is kept until then.
    pub fn into_bytes<T: Unpin + Send + Sync + 'static>(
        self,
        held: T,
    ) -> impl Stream<Item = io::Result<Bytes>> + Send + Sync + 'static {
        let mut pieces = self.pieces;
        poll_fn(move |context| {
            let _held = &held;
            pieces.poll_recv(context).map(|piece| match piece {
                Some(Piece::Bytes(bytes)) => Some(Ok(bytes)),
                Some(Piece::End) => None,
                None => Some(Err(io::Error::other("the answer broke off"))),
            })
        })
    }
}

fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the client takes no more of the answer")
}
