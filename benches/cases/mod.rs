pub mod archives;
pub mod known;
pub mod parse;
pub mod rank;
pub mod serving;
pub mod sieve;
pub mod store;
pub mod urls;

/// A line of `/proc/self/status`: current or largest resident memory.
fn memory(name: &str) -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.trim_start_matches(':').trim().to_owned()
}
