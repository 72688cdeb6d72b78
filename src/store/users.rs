//! Users of the API, stored in `meta`.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use crate::store::codec::keys::after_prefix;
use crate::store::db::schema::META;
use crate::store::roles::Roles;
use crate::store::tokens::TOKEN_PREFIX;
use crate::store::{Store, StoreError};

pub(in crate::store) const USER_PREFIX: &[u8] = b"user/";

/// The roles of a user who does not have all of them.
pub(in crate::store) const ROLES_PREFIX: &[u8] = b"roles/";

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

    /// The roles of a user: all of them, unless others were given.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or the roles are damaged.
    pub fn user_roles(&self, name: &str) -> Result<Roles, StoreError> {
        let Some(value) = self.get(META, roles_key(name))? else { return Ok(Roles::ALL) };
        let roles = std::str::from_utf8(&value).ok().and_then(Roles::parse);
        roles.ok_or_else(|| StoreError::damaged(META, &roles_key(name), "the roles of a user"))
    }

    /// Adds a user with all roles, or replaces the password hash of an existing one, whose roles stay. Returns whether
    /// the user is new.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub fn put_user(&self, name: &str, hash: &str) -> Result<bool, StoreError> {
        self.put_user_with_roles(name, hash, None)
    }

    /// As [`Self::put_user`], and gives the user these roles, if any.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails.
    pub fn put_user_with_roles(
        &self,
        name: &str,
        hash: &str,
        roles: Option<Roles>,
    ) -> Result<bool, StoreError> {
        let _changing = self.changing_users.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = self.get(META, user_key(name))?.is_none();
        let mut batch = self.batch();
        match roles {
            Some(roles) if roles != Roles::ALL => {
                batch.put(META, roles_key(name), roles.to_string())?;
            }
            None if !is_new => {}
            _ => batch.delete(META, roles_key(name))?,
        }
        batch.put(META, user_key(name), hash)?;
        self.write(batch)?;
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
        let mut batch = self.batch();
        batch.delete(META, user_key(name))?;
        batch.delete(META, roles_key(name))?;
        self.write(batch)?;
        // Cached users become invalid first, even if the count below fails.
        self.users_number.fetch_add(1, Ordering::Release);
        self.load_has_users()?;
        Ok(known)
    }

    /// Whether the API has users or tokens. Does not read from disk, so it is cheap enough for every request.
    pub fn has_users(&self) -> bool {
        self.has_users.load(Ordering::Acquire)
    }

    /// Loads whether there are users or tokens. A damaged one counts, because damage must not open the API to the public.
    pub(in crate::store) fn load_has_users(&self) -> Result<(), StoreError> {
        let mut has_users = false;
        for prefix in [USER_PREFIX, TOKEN_PREFIX] {
            let mut cursor = self.cursor_before(META, after_prefix(prefix))?;
            cursor.seek(prefix);
            has_users |= cursor.valid();
            cursor.status()?;
        }
        self.has_users.store(has_users, Ordering::Release);
        Ok(())
    }

    /// A number that is raised after a user or a token is added, changed or removed. While it is unchanged, so are they.
    /// Does not read from disk.
    pub fn users_number(&self) -> u64 {
        self.users_number.load(Ordering::Acquire)
    }
}

fn user_key(name: &str) -> Vec<u8> {
    [USER_PREFIX, name.as_bytes()].concat()
}

fn roles_key(name: &str) -> Vec<u8> {
    [ROLES_PREFIX, name.as_bytes()].concat()
}
