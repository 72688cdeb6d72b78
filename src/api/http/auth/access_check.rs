//! Checks whether a client may still read its response.

use std::sync::Arc;

use crate::api::http::admission::Client;
use crate::store::{Store, StoreError};

/// Checks whether a client may continue to read a long response. A user who was removed may not, and neither may a
/// client without credentials once there are users.
pub struct AccessCheck {
    store: Arc<Store>,
    client: Client,
    /// The value of [`Store::users_number`] at the last check.
    users_number: u64,
}

impl AccessCheck {
    /// For a client that was authenticated just now.
    pub fn new(client: &Client, store: &Arc<Store>) -> Self {
        Self { store: Arc::clone(store), client: client.clone(), users_number: store.users_number() }
    }

    /// Whether the client may continue.
    ///
    /// # Errors
    /// [`StoreError`] when the users cannot be read.
    pub fn is_allowed(&mut self) -> Result<bool, StoreError> {
        let users_number = self.store.users_number();
        if users_number == self.users_number {
            return Ok(true);
        }
        let is_allowed = match &self.client {
            Client::User(name) => self.store.users()?.iter().any(|(user, _)| **user == **name),
            _ => !self.store.has_users(),
        };
        self.users_number = users_number;
        Ok(is_allowed)
    }
}
