//! The machine: limits, memory, clock.

use std::fs::read_to_string;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::Patient;
use super::examination::Examination;
use crate::cli::process::rlimit::{MIN_LIMIT, attainable_open_files, wanted_open_files};
use crate::cli::terminal::numbers::grouped;
use crate::clock::{format_unix_time, unix_now};
use crate::config::Config;

/// 2026-01-01: no clock is right that shows an earlier time.
const EARLIEST_TIME: u64 = 1_767_225_600;
/// Seconds by which a file may be newer than the clock, because clocks are adjusted.
const CLOCK_TOLERANCE: u64 = 300;
/// Time for the system's own answer about its clock.
const CLOCK_TIMEOUT: Duration = Duration::from_secs(2);

pub(super) fn all(patient: &Patient) -> Vec<Examination> {
    let config = &patient.loaded.config;
    let pid = patient.server.as_ref().map(|server| server.pid).filter(|pid| *pid > 0);
    vec![open_files(config, pid), memory(config, pid), huge_pages(), clock(&patient.data)]
}

/// Compares the limit of the server, or else of this command, with the configuration.
fn open_files(config: &Config, pid: Option<u32>) -> Examination {
    const NAME: &str = "open files";
    let wanted = wanted_open_files(config);
    let mend = format!(
        "raise it to {wanted}: ulimit -n {wanted}, or LimitNOFILE={wanted} in the unit of the service"
    );
    match attainable_open_files(pid) {
        Some(limit) if limit < MIN_LIMIT => {
            Examination::fail(NAME, format!("the limit of {limit} is too low to start"), mend)
        }
        Some(limit) if limit < wanted => Examination::warn(
            NAME,
            format!(
                "the limit of {} is lower than the configuration asks for: it is lowered to fit",
                grouped(limit)
            ),
            mend,
        ),
        Some(limit) => Examination::ok(
            NAME,
            format!(
                "the limit is {}, and the configuration asks for up to {}",
                grouped(limit),
                grouped(wanted)
            ),
        ),
        None => Examination::ok(NAME, "no limit"),
    }
}

/// Compares the memory of the machine, or of its control group, with the limits of the configuration.
fn memory(config: &Config, pid: Option<u32>) -> Examination {
    const NAME: &str = "memory";
    let Some(limit) = memory_limit(pid) else {
        return Examination::skipped(NAME, "this system does not report its memory");
    };
    let wanted = [
        config.store.block_cache_bytes as u64,
        config.store.write_buffer_bytes as u64,
        config.crawl.memory_bytes as u64,
        config.crawl.seen_cache_urls as u64 * 8,
        config.search.memory_bytes as u64,
        config.api.answer_memory_bytes,
    ];
    let wanted = wanted.iter().sum::<u64>();
    let found = format!("{} MB, and the limits of the configuration add up to {}", limit >> 20, wanted >> 20);
    if wanted > limit / 10 * 8 {
        let mend = "lower search.memory_bytes, store.block_cache_bytes and api.answer_memory_bytes";
        return Examination::warn(NAME, found, mend);
    }
    Examination::ok(NAME, found)
}

/// The memory that a process may use, in bytes; without an id, this one.
fn memory_limit(pid: Option<u32>) -> Option<u64> {
    let text = read_to_string("/proc/meminfo").ok()?;
    let total = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let total = total.split_whitespace().next()?.parse::<u64>().ok()? << 10;
    let process = pid.map_or_else(|| "self".to_owned(), |pid| pid.to_string());
    let group = read_to_string(format!("/proc/{process}/cgroup")).unwrap_or_default();
    let group = group.lines().find_map(|line| line.strip_prefix("0::/")).unwrap_or_default();
    let files = [format!("/sys/fs/cgroup/{group}/memory.max"), "/sys/fs/cgroup/memory.max".to_owned()];
    let limits = files.iter().filter_map(|file| read_to_string(file).ok()?.trim().parse::<u64>().ok());
    Some(limits.fold(total, u64::min))
}

/// Huge pages make a database use more memory than it asks for. The allocator of this program refuses them.
fn huge_pages() -> Examination {
    const NAME: &str = "huge pages";
    let Ok(enabled) = read_to_string("/sys/kernel/mm/transparent_hugepage/enabled") else {
        return Examination::skipped(NAME, "this system has no transparent huge pages");
    };
    let word = enabled.split(['[', ']']).nth(1).unwrap_or_default().to_owned();
    let own = read_to_string("/proc/self/status").unwrap_or_default();
    let is_off = own.lines().any(|line| line.split_whitespace().eq(["THP_enabled:", "0"]));
    match word.as_str() {
        "always" if !is_off => Examination::warn(
            NAME,
            "transparent huge pages are always used, which takes more memory",
            "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled",
        ),
        "always" => Examination::ok(NAME, "always, and this program refuses them"),
        word => Examination::ok(NAME, word),
    }
}

fn clock(data: &Path) -> Examination {
    const NAME: &str = "clock";
    let (now, mend) = (unix_now(), "set the clock, and keep it with timedatectl set-ntp true, or chrony");
    let shown = format_unix_time(now);
    if now < EARLIEST_TIME {
        return Examination::fail(NAME, format!("{shown} is in the past"), mend);
    }
    if let Some((file, time)) = newest_file(data)
        && time > now + CLOCK_TOLERANCE
    {
        let time = format_unix_time(time);
        return Examination::fail(
            NAME,
            format!("{shown} is before {time}, when {file} was written: days of links go wrong"),
            mend,
        );
    }
    match is_synchronised() {
        Some(false) => Examination::warn(NAME, format!("{shown}, not synchronised with others"), mend),
        Some(true) => Examination::ok(NAME, format!("{shown}, synchronised")),
        None => {
            Examination::ok(NAME, format!("{shown}; this system does not say whether it is synchronised"))
        }
    }
}

/// The file of the data directory that was written last, and when.
fn newest_file(data: &Path) -> Option<(String, u64)> {
    let files = std::fs::read_dir(data).ok()?.flatten();
    let times = files.filter_map(|file| {
        let time = file.metadata().ok()?.modified().ok()?;
        let time = time.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs();
        Some((file.file_name().to_string_lossy().into_owned(), time))
    });
    times.max_by_key(|(_, time)| *time)
}

/// Whether the system keeps its clock; `None` if it does not say so in time.
fn is_synchronised() -> Option<bool> {
    let mut command = Command::new("timedatectl");
    command.args(["show", "--property=NTPSynchronized", "--value"]);
    let asked = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let (mut asked, start) = (asked.ok()?, Instant::now());
    while asked.try_wait().ok()?.is_none() {
        if start.elapsed() > CLOCK_TIMEOUT {
            let _ = asked.kill();
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let output = asked.wait_with_output().ok()?;
    match String::from_utf8_lossy(&output.stdout).trim() {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}
