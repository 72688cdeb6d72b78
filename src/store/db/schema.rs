//! The column families (`src/store/README.md` describes each), and the format version of the database.

/// The format of the database. Must be raised whenever a stored key or value changes its meaning; the fingerprints of
/// [`crate::urls::url_fingerprint`] are stored values too.
pub const FORMAT: u32 = 6;

/// The earliest format that can be upgraded. Records of formats 4 and 5 differ only in an optional tail, and format 6
/// adds [`VISITS`], which is empty in an index without imports. So an upgrade creates this family and changes the stored
/// number. Records are rewritten as pages are visited.
pub(crate) const OLDEST_FORMAT: u32 = 4;

pub(in crate::store) const PAGES: &str = "pages";
pub(in crate::store) const OUTLINKS: &str = "outlinks";
pub(in crate::store) const VISITS: &str = "visits";
pub(in crate::store) const BACKLINKS: &str = "backlinks";
pub(in crate::store) const PAIRS: &str = "pairs";
pub(in crate::store) const REFERRALS: &str = "referrals";
pub(in crate::store) const MET: &str = "met";
pub(in crate::store) const FRONTIER: &str = "frontier";
pub(in crate::store) const SCHEDULE: &str = "schedule";
pub(in crate::store) const HOSTS: &str = "hosts";
pub(in crate::store) const ROBOTS: &str = "robots";
pub(in crate::store) const RANKS: &str = "ranks";
pub(in crate::store) const CHANGES: &str = "changes";
pub(in crate::store) const META: &str = "meta";

/// All column families, in the order of the README's table.
pub const COLUMN_FAMILIES: [&str; 14] = [
    PAGES, OUTLINKS, VISITS, BACKLINKS, PAIRS, REFERRALS, MET, FRONTIER, SCHEDULE, HOSTS, ROBOTS, RANKS,
    CHANGES, META,
];

/// Column families that an index of the earliest format lacks, and an upgrade creates.
pub(in crate::store) const ADDED_FAMILIES: [&str; 1] = [VISITS];

/// Column families of earlier formats that no longer exist.
pub(in crate::store) const FORMER_FAMILIES: [&str; 1] = [SEEN];

/// The name of the seen set in findings. It was a column family in earlier formats.
pub(in crate::store) const SEEN: &str = "seen";

/// The column family that RocksDB itself creates. It is empty.
pub(in crate::store) const DEFAULT_FAMILY: &str = "default";
