//! What the operating system says of this process (Linux: `/proc/self`). A figure that is not to be had is left out.

use std::fs;
use std::time::Duration;

/// The process at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ProcessFigures {
    /// User and system time of all threads since the start.
    pub cpu: Duration,
    /// Bytes of memory that are in RAM.
    pub resident_bytes: Option<u64>,
    /// Files, sockets and pipes that are open, and how many may be.
    pub open_files: Option<u64>,
    pub max_open_files: Option<u64>,
}

impl ProcessFigures {
    pub fn now() -> Self {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
        Self {
            cpu: Duration::new(
                u64::try_from(time.tv_sec).unwrap_or(0),
                u32::try_from(time.tv_nsec).unwrap_or(0),
            ),
            resident_bytes: number_after(&text("/proc/self/status"), "VmRSS:")
                .map(|kilobytes| kilobytes << 10),
            // Reading the directory opens one more.
            open_files: fs::read_dir("/proc/self/fd")
                .ok()
                .map(|files| (files.count() as u64).saturating_sub(1)),
            max_open_files: number_after(&text("/proc/self/limits"), "Max open files"),
        }
    }
}

/// The first number after these words at the start of a line.
fn number_after(text: &str, words: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(words))?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_time_and_files() {
        let figures = ProcessFigures::now();
        assert!(figures.resident_bytes.unwrap() > 1 << 20, "{figures:?}");
        assert!(figures.cpu > Duration::ZERO, "{figures:?}");
        let (open, most) = (figures.open_files.unwrap(), figures.max_open_files.unwrap());
        assert!((3..=most).contains(&open), "{figures:?}");
    }

    #[test]
    fn numbers_are_found_by_their_words() {
        let text = "VmPeak:\t  10 kB\nVmRSS:\t  1234 kB\nMax open files            1024  524288 files\n";
        assert_eq!(number_after(text, "VmRSS:"), Some(1234));
        assert_eq!(number_after(text, "Max open files"), Some(1024));
        assert_eq!(number_after(text, "VmSwap:"), None);
    }
}
