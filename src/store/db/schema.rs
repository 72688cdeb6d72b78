//! The column families, and the format version of the database.
//!
//! | column family | key | value |
//! |---|---|---|
//! | `pages` | page SURT | the page record of the last visits, without links |
//! | `outlinks` | page SURT | all links of the page, active and inactive, column by column |
//! | `backlinks` | target SURT · source SURT · seq | one external link as the API shows it |
//! | `pairs` | target host · `00` · source host | counts of active external links; summed by the merge operator |
//! | `referrals` | source host · `00` · target host | number of active external links; summed by the merge operator |
//! | `met` | number | discovered URLs that wait for the merge into the set of seen URLs |
//! | `frontier` | queue · priority · page SURT | a queued URL: its depth and failed attempts; of a sitemap also the hosts whose URLs it may list |
//! | `schedule` | Unix time, big endian · page SURT | a URL that waits for its next visit: its depth, and a mark if it has no page |
//! | `hosts` | queue | pages fetched, consecutive failures, the last visits and the last failed requests |
//! | `robots` | scheme, host and port | the last robots.txt and its request time |
//! | `ranks` | generation · kind · page SURT or host | IV Search Rank in hundredths, big endian |
//! | `changes` | kind · registrable domain, sortable | number of the last commit that changed something of the domain |
//! | `meta` | name | format version, rank generation, counters, API users and their roles, API tokens, token key, files of the set of seen URLs |
//!
//! Only external links are in `backlinks`: internal links are never backlinks, and they are nine of ten links. A row
//! of `backlinks` repeats the data that it shows of its source page, so that one range scan serves a scope.

/// The format of the database. Must be raised whenever a stored key or value changes its meaning; the fingerprints of
/// [`crate::urls::url_fingerprint`] are stored values too.
pub const FORMAT: u32 = 5;

/// The earliest format that can be upgraded. Records of formats 4 and 5 differ only in an optional tail, so an upgrade
/// changes only the stored number. Records are rewritten as pages are visited.
pub(crate) const OLDEST_FORMAT: u32 = 4;

pub(in crate::store) const PAGES: &str = "pages";
pub(in crate::store) const OUTLINKS: &str = "outlinks";
pub(in crate::store) const BACKLINKS: &str = "backlinks";
pub(in crate::store) const PAIRS: &str = "pairs";
pub(in crate::store) const REFERRALS: &str = "referrals";
pub(in crate::store) const PENDING: &str = "met";
pub(in crate::store) const FRONTIER: &str = "frontier";
pub(in crate::store) const SCHEDULE: &str = "schedule";
pub(in crate::store) const HOSTS: &str = "hosts";
pub(in crate::store) const ROBOTS: &str = "robots";
pub(in crate::store) const RANKS: &str = "ranks";
pub(in crate::store) const CHANGES: &str = "changes";
pub(in crate::store) const META: &str = "meta";

/// All column families, in the order of the README's table.
pub const COLUMN_FAMILIES: [&str; 13] = [
    PAGES, OUTLINKS, BACKLINKS, PAIRS, REFERRALS, PENDING, FRONTIER, SCHEDULE, HOSTS, ROBOTS, RANKS, CHANGES,
    META,
];

/// Column families of earlier formats that no longer exist.
pub(in crate::store) const FORMER_FAMILIES: [&str; 1] = [SEEN];

/// The name of the set of seen URLs in findings. It was a column family in earlier formats.
pub(in crate::store) const SEEN: &str = "seen";

/// The column family that RocksDB itself creates. It is empty.
pub(in crate::store) const DEFAULT_FAMILY: &str = "default";
