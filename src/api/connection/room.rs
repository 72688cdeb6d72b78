//! Memory for answers and bodies, in all and by client. Answers that nobody reads make room for others.

use std::time::{Duration, Instant};

use super::Connections;
use crate::api::ApiError;
use crate::api::admission::{AnswerMemory, Client, ClientBytes, Reservation};

/// How often it is looked whether there is memory for an answer, and for how long at most.
const LOOK: Duration = Duration::from_millis(10);
const WAIT: Duration = Duration::from_millis(500);

/// The memory of answers, and the connections whose unread answers make room in it. Clones share both.
#[derive(Clone)]
pub struct AnswerRoom {
    memory: AnswerMemory,
    connections: Connections,
}

impl AnswerRoom {
    pub fn new(memory: AnswerMemory, connections: Connections) -> Self {
        Self { memory, connections }
    }

    /// Takes memory without a wait, for a client.
    ///
    /// # Errors
    /// [`ApiError::Unread`] when the client has had its share; [`ApiError::Overloaded`].
    pub fn try_take(&self, client: &Client, bytes: usize) -> Result<(ClientBytes, Reservation), ApiError> {
        let charged = self.charge(client, bytes)?;
        Ok((charged, self.memory.reserve(bytes).ok_or(ApiError::Overloaded)?))
    }

    /// Takes memory for a client. Blocks while there is none.
    ///
    /// # Errors
    /// [`ApiError::Unread`] when the client has had its share; [`ApiError::Overloaded`].
    pub fn take(&self, client: &Client, bytes: usize) -> Result<(ClientBytes, Reservation), ApiError> {
        let charged = self.charge(client, bytes)?;
        Ok((charged, self.reserve(bytes)?))
    }

    /// Takes memory for what is kept for no client. Blocks while there is none.
    ///
    /// # Errors
    /// [`ApiError::Overloaded`].
    pub fn reserve(&self, bytes: usize) -> Result<Reservation, ApiError> {
        let until = Instant::now() + WAIT;
        loop {
            if let Some(reserved) = self.memory.reserve(bytes) {
                return Ok(reserved);
            }
            if Instant::now() >= until {
                return Err(ApiError::Overloaded);
            }
            self.connections.break_off_unread();
            std::thread::sleep(LOOK);
        }
    }

    fn charge(&self, client: &Client, bytes: usize) -> Result<ClientBytes, ApiError> {
        self.memory.charge(client, bytes).ok_or(ApiError::Unread)
    }

    /// Bytes held now.
    pub fn bytes(&self) -> u64 {
        self.memory.bytes()
    }
}
