//! The clock of the system, and times for people.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The Unix time; 0 when the clock is before 1970.
pub fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Formats a Unix time as in RFC 3339. A time without such a form stays a number.
pub fn format_unix_time(unix: u64) -> String {
    let at = UNIX_EPOCH.checked_add(Duration::from_secs(unix));
    at.map_or_else(|| unix.to_string(), |at| humantime::format_rfc3339_seconds(at).to_string())
}
