//! Memory budgets for responses: `api.answer_memory_bytes` in all, and `api.answer_memory_per_client_bytes` for each
//! client.
//!
//! A response counts from when it is computed until it is dropped by the client that reads it and by the cache. A
//! client is charged with the responses that were computed for it, whether it reads them or not.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashbrown::HashMap;

use super::client::Client;

/// The memory budget of all responses. Clones share it.
#[derive(Clone)]
pub struct ByteBudget(Arc<SharedBudget>);

struct SharedBudget {
    limit: u64,
    limit_per_client: u64,
    total: AtomicU64,
    clients: Mutex<HashMap<Client, u64>>,
}

/// Bytes taken from the budget. Dropping it returns them.
#[derive(Debug)]
pub struct ByteReservation {
    memory: Arc<SharedBudget>,
    bytes: u64,
}

/// Bytes charged to a client. Dropping it returns them.
#[derive(Debug)]
pub struct ClientCharge {
    memory: Arc<SharedBudget>,
    client: Client,
    bytes: u64,
}

impl ByteBudget {
    pub fn new(limit: u64, limit_per_client: u64) -> Self {
        let (total, clients) = (AtomicU64::new(0), Mutex::default());
        Self(Arc::new(SharedBudget { limit, limit_per_client, total, clients }))
    }

    /// Takes bytes from the budget, or returns `None` if too few are left. A single response may exceed the whole
    /// budget.
    pub fn reserve(&self, bytes: usize) -> Option<ByteReservation> {
        let (memory, bytes) = (&self.0, bytes as u64);
        let fits =
            |total: u64| (total == 0 || total.saturating_add(bytes) <= memory.limit).then_some(total + bytes);
        memory.total.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).ok()?;
        Some(ByteReservation { memory: Arc::clone(memory), bytes })
    }

    /// Charges bytes to a client, or returns `None` if its share is used up. A single response may exceed the share.
    pub fn charge(&self, client: &Client, bytes: usize) -> Option<ClientCharge> {
        let (memory, bytes) = (&self.0, bytes as u64);
        let mut clients = memory.clients();
        let own = clients.entry(client.clone()).or_default();
        if *own > 0 && own.saturating_add(bytes) > memory.limit_per_client {
            return None;
        }
        *own += bytes;
        Some(ClientCharge { memory: Arc::clone(memory), client: client.clone(), bytes })
    }

    /// Bytes that are taken now.
    pub fn used_bytes(&self) -> u64 {
        self.0.total.load(Ordering::Relaxed)
    }
}

impl SharedBudget {
    /// A panic in another thread cannot leave the map half changed.
    fn clients(&self) -> MutexGuard<'_, HashMap<Client, u64>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for SharedBudget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ByteBudget").field("total", &self.total).finish_non_exhaustive()
    }
}

impl Drop for ByteReservation {
    fn drop(&mut self) {
        self.memory.total.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Drop for ClientCharge {
    fn drop(&mut self) {
        let mut clients = self.memory.clients();
        if let Some(own) = clients.get_mut(&self.client) {
            *own = own.saturating_sub(self.bytes);
            if *own == 0 {
                clients.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_count_until_their_reservation_is_dropped() {
        let memory = ByteBudget::new(100, 50);
        let first = memory.reserve(60).unwrap();
        assert!(memory.reserve(41).is_none());
        let second = memory.reserve(40).unwrap();
        drop(first);
        assert_eq!(memory.used_bytes(), 40);
        drop(second);
        let alone = memory.reserve(1_000).unwrap();
        assert!(memory.reserve(0).is_none(), "it takes all there is");
        drop(alone);
        assert_eq!(memory.used_bytes(), 0);
    }

    #[test]
    fn a_client_is_limited_to_its_share() {
        let (memory, client) = (ByteBudget::new(100, 50), |name: &str| Client::User(name.into()));
        let first = memory.charge(&client("a"), 30).unwrap();
        assert!(memory.charge(&client("a"), 21).is_none());
        let _other = memory.charge(&client("b"), 21).unwrap();
        drop(first);
        assert!(memory.charge(&client("a"), 2_000).is_some());
        assert_eq!(memory.0.clients().len(), 1);
    }
}
