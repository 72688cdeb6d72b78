//! Keys and values as bytes: one encoder and one decoder for each kind of record. Pure.

pub(super) mod backlink;
pub(super) mod host;
pub(super) mod keys;
pub(super) mod outlinks;
pub(super) mod page;
pub(super) mod priority;
pub(super) mod queue_entry;
pub(super) mod schedule_entry;
pub(super) mod source_page;
pub(super) mod sums;
pub(super) mod unmerged_url;
pub(super) mod varint;

pub(super) use backlink::{decode_backlink, decode_backlink_ref, encode_backlink};
pub(super) use host::{decode_host, encode_host};
pub(super) use outlinks::{decode_outlinks, encode_outlinks};
pub(super) use page::{decode_page, decode_page_outcome, encode_page};
pub(super) use priority::lane_start;
pub(super) use unmerged_url::{decode_unmerged, put_unmerged};
