//! The plain types every stage speaks: what a visit found, what a link is, where a server stands.
//!
//! No I/O, no clock, no storage format. A [`PageRecord`] is the unit of everything: a crawled page, a
//! WARC response and a replayed record all enter the store as one.

mod cause;
mod cut;
mod day;
mod host;
mod link;
mod media_type;
mod page;
mod record;
mod tls;

pub use cause::{MAX_CAUSE, plain, plain_cause};
pub use cut::Cut;
pub use day::{CLOCK_ERROR, Day, DayError};
pub use host::{HostFailure, HostRecord, HostVisit};
pub use link::{Link, LinkTag, Rel};
pub use media_type::MediaType;
pub use page::{Directives, FailureKind, PageContent, PageRecord, Place, Visit};
pub use record::{BacklinkRecord, OutlinkRecord, SearchRank, SourcePage, StoredPage, Toggle, is_active};
pub use tls::TlsFlaw;
