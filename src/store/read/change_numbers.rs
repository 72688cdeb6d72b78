//! Reads change numbers.

use crate::store::db::schema::CHANGES;
use crate::store::write::change_numbers::{
    ChangeNumbers, Direction, LAST_CHANGE_KEY, decode_number, domain_key,
};
use crate::store::{Snapshot, StoreError};

impl Snapshot<'_> {
    /// The change numbers of a registrable domain.
    ///
    /// # Errors
    /// [`StoreError`] when the database fails or a number is damaged.
    pub fn changes(&self, domain: &str) -> Result<ChangeNumbers, StoreError> {
        Ok(ChangeNumbers {
            incoming: self.change_number_of(&domain_key(Direction::Incoming, domain))?,
            outgoing: self.change_number_of(&domain_key(Direction::Outgoing, domain))?,
        })
    }

    /// The number of the last commit that changed anything, ranks included; 0 before the first.
    ///
    /// # Errors
    /// As [`Self::changes`].
    pub fn last_change(&self) -> Result<u64, StoreError> {
        self.change_number_of(LAST_CHANGE_KEY)
    }

    fn change_number_of(&self, key: &[u8]) -> Result<u64, StoreError> {
        decode_number(key, self.get(CHANGES, key)?.as_deref())
    }
}
