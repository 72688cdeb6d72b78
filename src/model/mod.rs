//! The data types shared by all stages: visits, links, pages and hosts.
//!
//! No I/O, no clock, no storage format. A [`VisitRecord`] is the unit of all data: crawled pages, WARC responses and
//! replayed records all enter the store as one.

/// Gives each value of an enum its number in stored records. `ALL` lists the values in the order of these numbers,
/// without gaps.
macro_rules! stored_code {
    ($visibility:vis $name:ident) => {
        impl $name {
            /// The number in stored records.
            $visibility fn code(self) -> u8 {
                self as u8
            }

            /// The value with this number; `None` for unknown numbers.
            $visibility fn from_code(code: u8) -> Option<Self> {
                let first = Self::ALL[0].code();
                Self::ALL.get(usize::from(code.checked_sub(first)?)).copied()
            }
        }
    };
}

mod cause;
mod cut;
mod day;
mod host;
mod link;
mod media_type;
mod page;
mod page_facts;
mod queue_entry;
mod record;
mod sitemap_grant;
mod tls;

pub use cause::{MAX_CAUSE, plain, plain_cause};
pub use cut::Cut;
pub use day::{CLOCK_ERROR, Day, DayError};
pub use host::{HostFailure, HostRecord, HostVisit};
pub use link::{Link, LinkTag, Rel};
pub use media_type::MediaType;
pub use page::{FailureKind, PageContent, Visit, VisitRecord};
pub use page_facts::{Directives, PageFacts, Place};
pub use queue_entry::{Arrival, DiscoveredUrl, Disposition, Lane, Priority, QueueEntry, QueueName, Target};
pub use record::{
    Absence, BacklinkRecord, OutlinkRecord, PageOutcome, SearchRank, SourcePage, StoredPage, is_active,
};
pub use sitemap_grant::SitemapGrant;
pub use tls::TlsFlaw;

pub(crate) use stored_code;
