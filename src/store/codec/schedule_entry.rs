//! Keys and values of `schedule`: one URL with the time of its next visit.

use crate::store::StoreError;
use crate::store::db::schema::SCHEDULE;

use super::queue_entry::read_depth;
use super::varint::{Damage, Reader, put_varint};

pub(in crate::store) fn schedule_key(time: u64, surt: &[u8]) -> Vec<u8> {
    [&time.to_be_bytes(), surt].concat()
}

/// Splits a key of the schedule into time and SURT.
pub(in crate::store) fn split_schedule_key(key: &[u8]) -> Result<(u64, &[u8]), StoreError> {
    parse_schedule_key(key).ok_or_else(|| StoreError::damaged(SCHEDULE, key, "the time"))
}

/// As [`split_schedule_key`], without a described error.
pub(in crate::store) fn parse_schedule_key(key: &[u8]) -> Option<(u64, &[u8])> {
    let (time, surt) = key.split_first_chunk()?;
    Some((u64::from_be_bytes(*time), surt))
}

/// The value of a row in the schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct ScheduleEntry {
    pub depth: u16,
    /// Whether the URL had no page when it was scheduled. It may have a page by now, whose next visit is at another
    /// time.
    pub pageless: bool,
}

/// The byte after the depth that marks a URL without a page.
const PAGELESS: u8 = 1;

impl ScheduleEntry {
    pub(crate) fn encode(self) -> Vec<u8> {
        let mut value = Vec::with_capacity(2);
        put_varint(&mut value, u64::from(self.depth));
        value.extend(self.pageless.then_some(PAGELESS));
        value
    }

    pub(crate) fn decode(value: &[u8]) -> Result<Self, Damage> {
        let mut reader = Reader(value);
        let depth = read_depth(&mut reader)?;
        let pageless = match reader.0 {
            [] => false,
            [PAGELESS] => true,
            _ => return Err(Damage("the mark of a URL without a page")),
        };
        Ok(Self { depth, pageless })
    }
}
