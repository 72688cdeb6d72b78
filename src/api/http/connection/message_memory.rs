//! The memory of responses and request bodies, in all and by client. When it runs short, responses that are not read
//! are aborted.

use std::time::{Duration, Instant};

use super::Connections;
use crate::api::ApiError;
use crate::api::http::admission::{ByteBudget, ByteReservation, Client, ClientCharge};

/// How often a blocked reservation is retried, and for how long at most.
const RETRY_INTERVAL: Duration = Duration::from_millis(10);
const MAX_WAIT: Duration = Duration::from_millis(500);

/// The memory budget, and the connections whose unread responses can be aborted. Clones share both.
#[derive(Clone)]
pub struct MessageMemory {
    budget: ByteBudget,
    connections: Connections,
}

impl MessageMemory {
    pub fn new(budget: ByteBudget, connections: Connections) -> Self {
        Self { budget, connections }
    }

    /// Reserves memory for a client without waiting.
    ///
    /// # Errors
    /// [`ApiError::UnreadResponses`] when the share of the client is used up; [`ApiError::Overloaded`].
    pub fn try_reserve_for(
        &self,
        client: &Client,
        bytes: usize,
    ) -> Result<(ClientCharge, ByteReservation), ApiError> {
        let charged = self.charge(client, bytes)?;
        Ok((charged, self.budget.reserve(bytes).ok_or(ApiError::Overloaded)?))
    }

    /// Reserves memory for a client. Blocks while too little is left.
    ///
    /// # Errors
    /// [`ApiError::UnreadResponses`] when the share of the client is used up; [`ApiError::Overloaded`].
    pub fn reserve_for(
        &self,
        client: &Client,
        bytes: usize,
    ) -> Result<(ClientCharge, ByteReservation), ApiError> {
        let charged = self.charge(client, bytes)?;
        Ok((charged, self.reserve(bytes)?))
    }

    /// Reserves memory that is charged to no client. Blocks while too little is left.
    ///
    /// # Errors
    /// [`ApiError::Overloaded`].
    pub fn reserve(&self, bytes: usize) -> Result<ByteReservation, ApiError> {
        let until = Instant::now() + MAX_WAIT;
        loop {
            if let Some(reserved) = self.budget.reserve(bytes) {
                return Ok(reserved);
            }
            if Instant::now() >= until {
                return Err(ApiError::Overloaded);
            }
            self.connections.abort_unread();
            std::thread::sleep(RETRY_INTERVAL);
        }
    }

    fn charge(&self, client: &Client, bytes: usize) -> Result<ClientCharge, ApiError> {
        self.budget.charge(client, bytes).ok_or(ApiError::UnreadResponses)
    }

    /// Bytes that are reserved now.
    pub fn used_bytes(&self) -> u64 {
        self.budget.used_bytes()
    }
}
