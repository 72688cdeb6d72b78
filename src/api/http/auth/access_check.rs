//! Checks whether a client may still read its response.

use std::sync::Arc;

use super::identity::Identity;
use crate::clock::unix_now;
use crate::store::{Store, StoreError};

/// Checks whether a client may continue to read a long response. Denied are a removed user or token, an expired token,
/// and, once there are users, a client without credentials.
pub struct AccessCheck {
    store: Arc<Store>,
    identity: Identity,
    /// The value of [`Store::users_number`] at the last check.
    users_number: u64,
}

impl AccessCheck {
    /// For a client that was authenticated just now.
    pub(crate) fn new(identity: &Identity, store: &Arc<Store>) -> Self {
        Self { store: Arc::clone(store), identity: identity.clone(), users_number: store.users_number() }
    }

    /// Whether the client may continue.
    ///
    /// # Errors
    /// [`StoreError`] when the users cannot be read.
    pub fn is_allowed(&mut self) -> Result<bool, StoreError> {
        if let Identity::Token(token) = &self.identity
            && token.is_expired(unix_now())
        {
            return Ok(false);
        }
        let users_number = self.store.users_number();
        if users_number == self.users_number {
            return Ok(true);
        }
        let is_allowed = match &self.identity {
            Identity::User { name, .. } => self.store.users()?.iter().any(|(user, _)| **user == **name),
            Identity::Token(token) => self.store.tokens()?.contains(token),
            Identity::Address(_) => !self.store.has_users(),
        };
        self.users_number = users_number;
        Ok(is_allowed)
    }
}
