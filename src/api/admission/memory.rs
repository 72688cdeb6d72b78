//! The bytes of all answers that are held, in all and by client: `api.answer_memory_bytes` and
//! `api.answer_memory_per_client_bytes`.
//!
//! An answer counts from when it is made until nobody holds it any more: no client that reads it, and no cache. A
//! client is charged with what was made for it, whether it reads it or not.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;

use super::rate::Client;

/// The memory of answers. Clones share it.
#[derive(Clone)]
pub struct AnswerMemory(Arc<Shared>);

struct Shared {
    most: u64,
    most_per_client: u64,
    all: AtomicU64,
    clients: Mutex<FxHashMap<Client, u64>>,
}

/// Bytes of an answer, until it is dropped.
#[derive(Debug)]
pub struct Reservation {
    memory: Arc<Shared>,
    bytes: u64,
}

/// Bytes that a client is charged with, until it is dropped.
#[derive(Debug)]
pub struct ClientBytes {
    memory: Arc<Shared>,
    client: Client,
    bytes: u64,
}

impl AnswerMemory {
    pub fn new(most: u64, most_per_client: u64) -> Self {
        let (all, clients) = (AtomicU64::new(0), Mutex::default());
        Self(Arc::new(Shared { most, most_per_client, all, clients }))
    }

    /// Counts an answer. `None`: there is no room for it. One answer alone may be larger than all there is.
    pub fn reserve(&self, bytes: usize) -> Option<Reservation> {
        let (memory, bytes) = (&self.0, bytes as u64);
        let fits = |all: u64| (all == 0 || all.saturating_add(bytes) <= memory.most).then_some(all + bytes);
        memory.all.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).ok()?;
        Some(Reservation { memory: Arc::clone(memory), bytes })
    }

    /// Charges a client. `None`: it has had what it may have. One answer alone may be larger than that.
    pub fn charge(&self, client: &Client, bytes: usize) -> Option<ClientBytes> {
        let (memory, bytes) = (&self.0, bytes as u64);
        let mut clients = memory.clients();
        let own = clients.entry(client.clone()).or_default();
        if *own > 0 && own.saturating_add(bytes) > memory.most_per_client {
            return None;
        }
        *own += bytes;
        Some(ClientBytes { memory: Arc::clone(memory), client: client.clone(), bytes })
    }

    /// Bytes held now.
    pub fn bytes(&self) -> u64 {
        self.0.all.load(Ordering::Relaxed)
    }
}

impl Shared {
    /// A panic elsewhere cannot leave the figures half changed.
    fn clients(&self) -> MutexGuard<'_, FxHashMap<Client, u64>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AnswerMemory").field("all", &self.all).finish_non_exhaustive()
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.memory.all.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Drop for ClientBytes {
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
    fn answers_are_counted_while_they_are_held() {
        let memory = AnswerMemory::new(100, 50);
        let first = memory.reserve(60).unwrap();
        assert!(memory.reserve(41).is_none());
        let second = memory.reserve(40).unwrap();
        drop(first);
        assert_eq!(memory.bytes(), 40);
        drop(second);
        let alone = memory.reserve(1_000).unwrap();
        assert!(memory.reserve(0).is_none(), "it takes all there is");
        drop(alone);
        assert_eq!(memory.bytes(), 0);
    }

    #[test]
    fn a_client_has_its_share() {
        let (memory, client) = (AnswerMemory::new(100, 50), |name: &str| Client::User(name.into()));
        let first = memory.charge(&client("a"), 30).unwrap();
        assert!(memory.charge(&client("a"), 21).is_none());
        let _other = memory.charge(&client("b"), 21).unwrap();
        drop(first);
        assert!(memory.charge(&client("a"), 2_000).is_some());
        assert_eq!(memory.0.clients().len(), 1);
    }
}
