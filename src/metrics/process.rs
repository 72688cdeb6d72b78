//! Figures of the operating system about this process (Linux: `/proc/self`). Unavailable figures are left out.

use std::fs;
use std::time::Duration;

/// The figures of the process at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct ProcessMetrics {
    /// User and system time of all threads since the start.
    pub cpu: Duration,
    /// Bytes of memory in RAM.
    pub resident_bytes: Option<u64>,
    /// The number of open files, sockets and pipes, and its limit.
    pub open_files: Option<u64>,
    pub max_open_files: Option<u64>,
}

impl ProcessMetrics {
    pub(super) fn read() -> Self {
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

/// Returns the first number after these words at the start of a line.
fn number_after(text: &str, words: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(words))?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_memory_time_and_files_of_this_process() {
        let figures = ProcessMetrics::read();
        assert!(figures.resident_bytes.unwrap() > 1 << 20, "{figures:?}");
        assert!(figures.cpu > Duration::ZERO, "{figures:?}");
        let (open, max) = (figures.open_files.unwrap(), figures.max_open_files.unwrap());
        assert!((3..=max).contains(&open), "{figures:?}");
    }

    #[test]
    fn finds_numbers_by_the_words_before_them() {
        let text = "VmPeak:\t  10 kB\nVmRSS:\t  1234 kB\nMax open files            1024  524288 files\n";
        assert_eq!(number_after(text, "VmRSS:"), Some(1234));
        assert_eq!(number_after(text, "Max open files"), Some(1024));
        assert_eq!(number_after(text, "VmSwap:"), None);
    }
}
