//! Hostile archives take neither memory nor time beyond the limits.

use std::io::{Cursor, Read, Seek, SeekFrom, Write};
use std::process::Command;
use std::time::{Duration, Instant};

use backlinkd::warc::{ArchiveError, ReadLimits, SkipReason};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::Contents;
use super::made::{gzip, record, responses};

const GIB: u64 = 1 << 30;

/// A beginning, then one byte repeated, then an end, without a copy in memory.
struct Repeated {
    start: Vec<u8>,
    byte: u8,
    count: u64,
    end: Vec<u8>,
    at: u64,
}

impl Repeated {
    fn new(start: &[u8], byte: u8, count: u64, end: &[u8]) -> Self {
        Self { start: start.to_vec(), byte, count, end: end.to_vec(), at: 0 }
    }
}

impl Read for Repeated {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let (first, second) = (self.start.len() as u64, self.start.len() as u64 + self.count);
        let read = if self.at < first {
            (&self.start[usize::try_from(self.at).unwrap()..]).read(buffer)?
        } else if self.at < second {
            let count = usize::try_from(second - self.at).unwrap().min(buffer.len());
            buffer[..count].fill(self.byte);
            count
        } else {
            let at = usize::try_from(self.at - second).unwrap().min(self.end.len());
            (&self.end[at..]).read(buffer)?
        };
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Repeated {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let SeekFrom::Start(at) = to else { panic!("{to:?}") };
        self.at = at;
        Ok(at)
    }
}

/// The reader reads hostile files in a process of its own, whose memory the kernel counts.
#[test]
fn memory_and_time_are_bounded() {
    let program = std::env::current_exe().unwrap();
    let started = Instant::now();
    let child = Command::new(program)
        .args(["--exact", "warc_reading::bounds::hostile_files", "--ignored", "--nocapture"])
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success(), "{output} {}", String::from_utf8_lossy(&child.stderr));
    let peak =
        output.lines().find_map(|line| line.split_once("peak ")?.1.trim().parse::<u64>().ok()).unwrap();
    assert!(peak < 200_000, "{peak} kB");
    assert!(started.elapsed() < Duration::from_secs(240), "{:?}", started.elapsed());
}

#[test]
#[ignore = "the test above runs it in a process of its own"]
fn hostile_files() {
    let last = record(7, "response", b"the last one");
    let outline = |contents: Contents| {
        let ids: Vec<usize> = contents.records.iter().map(|record| record.block.len()).collect();
        (ids, contents.skipped.iter().map(|skipped| skipped.reason).collect::<Vec<_>>())
    };
    let read = |source: Repeated| outline(Contents::with_limits(source, ReadLimits::default()).unwrap());
    let survivor = |reason| (vec![12], vec![reason]);

    let line = Repeated::new(b"WARC/1.0\r\nX: ", b'a', GIB, &last);
    assert_eq!(read(line), survivor(SkipReason::HeaderTooLong));
    let first = responses(1, 1).remove(0);
    let garbage = Repeated::new(&first, b'a', GIB / 4, &last);
    assert_eq!(read(garbage).1, [SkipReason::Garbage]);
    let no_archive = Contents::with_limits(Repeated::new(b"", b'a', GIB, &last), ReadLimits::default());
    assert!(matches!(no_archive, Err(ArchiveError::NotAnArchive)));
    let blanks = Repeated::new(b"WARC/1.0\r\nContent-Length: 0\r\n\r\n", b'\n', GIB / 16, &last);
    assert_eq!(read(blanks), (vec![0, 12], vec![]));

    let claim = b"WARC/1.0\r\nContent-Length: 99999999999999\r\n\r\n";
    assert_eq!(read(Repeated::new(claim, b'a', GIB / 4, &last)), survivor(SkipReason::Cut));

    bombs(&last);
    false_beginnings();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    println!("peak {}", peak.trim().trim_end_matches(" kB"));
}

/// Small files that decode to a quarter of a gigabyte.
fn bombs(last: &[u8]) {
    let head = format!("WARC/1.0\r\nContent-Length: {}\r\n\r\n", GIB / 4);
    let piece = vec![b'a'; 1 << 20];
    for start in [head.as_bytes(), b"\n", b"a", b"WARC/1.0\r\n"] {
        let fill = if start == b"\n" { vec![b'\n'; 1 << 20] } else { piece.clone() };
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        let mut zstd = zstd::Encoder::new(Vec::new(), 3).unwrap();
        encoder.write_all(start).unwrap();
        zstd.write_all(start).unwrap();
        for _ in 0..1 << 8 {
            encoder.write_all(&fill).unwrap();
            zstd.write_all(&fill).unwrap();
        }
        let first = responses(1, 1).remove(0);
        let gz = [gzip(&first), encoder.finish().unwrap(), gzip(last)].concat();
        let zst = [
            zstd::encode_all(&first[..], 3).unwrap(),
            zstd.finish().unwrap(),
            zstd::encode_all(last, 3).unwrap(),
        ];
        for bytes in [gz, zst.concat()] {
            let contents = Contents::of(&bytes);
            assert_eq!(contents.records.last().unwrap().block, "the last one");
            assert_eq!((contents.records.len(), contents.skipped.len()), (2, 1), "{:?}", contents.skipped);
            assert!(
                matches!(
                    contents.skipped[0].reason,
                    SkipReason::Ratio | SkipReason::Garbage | SkipReason::HeaderTooLong
                ),
                "{:?}",
                contents.skipped
            );
        }
    }
    // A dictionary of four gigabytes, and one that expands to more than the limit.
    let huge = [&b"\x5d\x2a\x4d\x18\xff\xff\xff\xff"[..], last].concat();
    let packed = zstd::encode_all(Read::take(std::io::repeat(0), GIB), 3).unwrap();
    let length = u32::try_from(packed.len()).unwrap().to_le_bytes();
    let expanding = [&b"\x5d\x2a\x4d\x18"[..], &length, &packed, last].concat();
    for bytes in [huge, expanding] {
        let refused = Contents::with_limits(Cursor::new(bytes), ReadLimits::default());
        assert!(matches!(refused, Err(ArchiveError::Dictionary(_))), "{refused:?}");
    }
}

/// Files that make a reader begin again and again.
fn false_beginnings() {
    let claims = b"WARC/1.0\r\nContent-Length: 9999999\r\n\r\n".repeat(200_000);
    let contents = Contents::of(&claims);
    assert!(contents.records.is_empty() && !contents.skipped.is_empty());
    let mut gz = gzip(&responses(1, 1)[0]);
    gz.extend(b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xff".repeat(500_000));
    let mut zst = zstd::encode_all(&responses(1, 1)[0][..], 3).unwrap();
    zst.extend(b"\x28\xb5\x2f\xfd\x04\x48".repeat(500_000));
    for bytes in [gz, zst] {
        let contents = Contents::of(&bytes);
        assert_eq!(contents.records.len(), 1);
        assert!(!contents.skipped.is_empty());
    }
}
