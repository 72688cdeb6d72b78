//! Users of the API, stored in `meta`.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use crate::store::codec::keys::after_prefix;
use crate::store::db::schema::META;
use crate::store::{Store, StoreError};

pub(in crate::store) const USER_PREFIX: &[u8] = b"user/";

impl Store {
    /// The API users, sorted by name: name and argon2 hash.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or a user is damaged.
    pub fn users(&self) -> Result<Vec<(String, String)>, StoreError> {
        let mut cursor = self.cursor_before(META, after_prefix(USER_PREFIX))?;
        cursor.seek(USER_PREFIX);
        let mut users = Vec::new();
        while let Some((key, value)) = cursor.item() {
            let text = |bytes: &[u8]| {
                String::from_utf8(bytes.to_vec()).map_err(|_| StoreError::damaged(META, key, "a user"))
            };
            users.push((text(&key[USER_PREFIX.len()..])?, text(value)?));
            cursor.next();
        }
        cursor.status()?;
        Ok(users)
    }

    /// The names of the API users, sorted.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or a user is damaged.
    pub fn user_names(&self) -> Result<Vec<String>, StoreError> {
        Ok(self.users()?.into_iter().map(|(name, _)| name).collect())
    }

    /// Adds a user, or replaces the password hash of an existing one. Returns whether the user is new.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub fn put_user(&self, name: &str, hash: &str) -> Result<bool, StoreError> {
        let _changing = self.changing_users.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = self.db.get_cf(self.family(META)?, user_key(name))?.is_none();
        self.put_row(META, user_key(name), hash)?;
        self.has_users.store(true, Ordering::Release);
        self.users_number.fetch_add(1, Ordering::Release);
        Ok(is_new)
    }

    /// Removes a user. Returns whether the user existed.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub fn remove_user(&self, name: &str) -> Result<bool, StoreError> {
        let _changing = self.changing_users.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.get(META, user_key(name))?.is_some();
        self.delete_row(META, user_key(name))?;
        // Cached users become invalid first, even if the count below fails.
        self.users_number.fetch_add(1, Ordering::Release);
        self.load_has_users()?;
        Ok(known)
    }

    /// Whether the API has users. Does not read from disk, so it is cheap enough for every request.
    pub fn has_users(&self) -> bool {
        self.has_users.load(Ordering::Acquire)
    }

    /// Loads whether there are users. A damaged user counts, because damage must not open the API to the public.
    pub(in crate::store) fn load_has_users(&self) -> Result<(), StoreError> {
        let mut cursor = self.cursor_before(META, after_prefix(USER_PREFIX))?;
        cursor.seek(USER_PREFIX);
        self.has_users.store(cursor.valid(), Ordering::Release);
        Ok(cursor.status()?)
    }

    /// A number that is raised after a user is added, changed or removed. While it is unchanged, so are the users.
    /// Does not read from disk.
    pub fn users_number(&self) -> u64 {
        self.users_number.load(Ordering::Acquire)
    }
}

fn user_key(name: &str) -> Vec<u8> {
    [USER_PREFIX, name.as_bytes()].concat()
}
