//! The database: pages, links, backlinks, queue, ranks and users in RocksDB.
//!
//! In: [`Commit`]s of visit records from the crawl ([`Store::commit`]), visit records of any age from archives
//! ([`Store::import`]), and the ranks of a finished computation. Out: a [`Snapshot`], one consistent state that is read by scope.
//!
//! Invariants, whatever the moment of a crash:
//!
//! - A visit record is stored with all its links, backlinks and counts, or not at all.
//! - `pairs` holds the sums of the active `backlinks`.
//! - A URL stays in the queue until its record is stored.
//!
//! The store does not decide what is fetched, and it knows no HTTP. All calls block: call them off the async threads.
//!
//! | folder | content |
//! |---|---|
//! | `db` | opening, column families and their rows, file permissions, errors, salvage of damaged files; the only importer of `rocksdb` |
//! | `codec` | keys and values as bytes |
//! | `write` | commits: link differences, sums between hosts, change numbers, ranks; imports and their history |
//! | `queue` | the queue of URLs to fetch, the schedule, the seen set |
//! | `read` | snapshots, range scans, lookups of many keys, statistics |
//! | `sites` | the list of all hosts and domains with their figures, and its file |
//! | `verify` | consistency checks and repair |
//!
//! The methods of [`Store`] are where their data is:
//!
//! | methods | file |
//! |---|---|
//! | `open`, `recent_urls`, `set_revisit_rules` | `db/open.rs` |
//! | `commit`, `put`, `lock_writes` | `write/commit.rs` |
//! | `import` | `write/history/import.rs` |
//! | `write_numbered`, `change_number` | `write/change_numbers.rs` |
//! | `publish_ranks` | `write/ranks.rs` |
//! | `page`, `host`, `servers` | `read/pages.rs`, `read/hosts.rs` |
//! | `queues`, `entries_of_lane`, `find_entry` | `queue/entries.rs` |
//! | `take_due`, `reschedule_far`, `postpone` | `queue/schedule.rs` |
//! | `merge_discovered`, `was_seen`, `rebuild_seen_set` | `queue/seen_set.rs` |

mod codec;
mod db;
mod meta;
mod metrics;
mod queue;
mod read;
mod roles;
mod sites;
mod tokens;
mod users;
mod verify;
mod write;

pub use codec::backlink::BacklinkRef;
pub use codec::keys::backlink_key_of_texts;
pub use db::directory::{BLOCKS_FILE, PID_FILE, SEEDS_FILE, SOCKET_FILE, free_bytes};
pub use db::error::StoreError;
pub use db::open::Store;
pub use db::schema::{COLUMN_FAMILIES, FORMAT};
pub use metrics::{FamilyMetrics, StoreMetrics};
pub use queue::recent_urls::RecentUrls;
pub use read::backlink_batch::BacklinkBatch;
pub use read::host_pairs::{HostPair, PairCounts};
pub use read::servers::QueuedServer;
pub use read::snapshot::{Keyed, PageLinks, Rows, Snapshot};
pub use read::stats::Stats;
pub use roles::{Role, Roles};
pub use sites::file::SiteFileVersion;
pub use sites::{SiteFigures, SiteKind, SiteList};
pub use tokens::StoredToken;
pub use verify::report::{Finding, Findings};
pub use verify::{VerifyOptions, VerifyProgress};
pub use write::change_numbers::ChangeNumbers;
pub use write::commit::Commit;
pub use write::history::import::{ImportCounts, ImportPolicy};
