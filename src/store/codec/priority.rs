//! Priorities in keys: the bytes sort as the priorities do.

use crate::model::{Lane, Priority};

use super::varint::{Damage, Reader};

const SEED: u8 = 0;
const SITEMAP: u8 = 1;
const REVISIT: u8 = 2;
const NEW: u8 = 3;

pub(in crate::store) fn put_priority(out: &mut Vec<u8>, priority: Priority) {
    match priority {
        Priority::Seed => out.push(SEED),
        Priority::Sitemap => out.push(SITEMAP),
        Priority::Revisit(due) => {
            out.push(REVISIT);
            out.extend_from_slice(&due.to_be_bytes());
        }
        Priority::New(order) => {
            out.push(NEW);
            out.extend_from_slice(&order.to_be_bytes());
        }
    }
}

pub(in crate::store) fn read_priority(reader: &mut Reader<'_>) -> Result<Priority, Damage> {
    const WHAT: &str = "the priority";
    match reader.byte(WHAT)? {
        SEED => Ok(Priority::Seed),
        SITEMAP => Ok(Priority::Sitemap),
        REVISIT => reader.array(WHAT).map(|due| Priority::Revisit(u32::from_be_bytes(due))),
        NEW => reader.array(WHAT).map(|order| Priority::New(u16::from_be_bytes(order))),
        _ => Err(Damage(WHAT)),
    }
}

/// The first byte of the lowest priority of a lane.
pub(in crate::store) fn lane_start(lane: Lane) -> u8 {
    match lane {
        Lane::Unbudgeted => SEED,
        Lane::New => NEW,
    }
}
