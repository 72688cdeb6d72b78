//! A run: a file of sorted fingerprints, eight bytes each, little endian, without a header.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::ops::RangeInclusive;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::Xxh3Default;

use super::SieveError;

pub(super) const WIDTH: usize = 8;
/// Bytes read or written at once.
pub(super) const CHUNK_BYTES: usize = 1 << 20;
/// Fingerprints that a lookup reads at once: 4 KiB, a block of the disk.
const BLOCK: u64 = 512;

/// The data that is needed to open a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunInfo {
    pub id: u64,
    /// Number of fingerprints.
    pub len: u64,
    /// XXH3-64 of the bytes of the file.
    pub sum: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Run {
    pub info: RunInfo,
    pub path: PathBuf,
    file: std::sync::Arc<File>,
}

fn path_of(directory: &Path, id: u64) -> PathBuf {
    directory.join(format!("{id:012}.run"))
}

/// The fingerprint at an index of a chunk.
pub(super) fn fingerprint_at(chunk: &[u8], index: usize) -> u64 {
    let bytes = chunk.get(index * WIDTH..).and_then(<[u8]>::first_chunk);
    bytes.map_or(u64::MAX, |bytes| u64::from_le_bytes(*bytes))
}

impl Run {
    pub(super) fn open(directory: &Path, info: RunInfo) -> Result<Self, SieveError> {
        let path = path_of(directory, info.id);
        let open = || -> io::Result<(File, u64)> {
            let file = File::open(&path)?;
            let bytes = file.metadata()?.len();
            Ok((file, bytes))
        };
        let (file, bytes) = open().map_err(|error| SieveError::new(&path, error))?;
        if bytes != info.len * WIDTH as u64 {
            let reason = format!(
                "it has {bytes} bytes instead of {}; `backlinkd verify --repair` rebuilds it",
                info.len * WIDTH as u64
            );
            return Err(SieveError::new(&path, reason));
        }
        Ok(Self { info, path, file: file.into() })
    }

    /// A reader of the run from its beginning, for [`Self::fill`].
    pub(super) fn read(&self) -> Result<impl Read + use<>, SieveError> {
        // A separate handle, because each handle has one position.
        let file = File::open(&self.path).map_err(|error| SieveError::new(&self.path, error))?;
        Ok(BufReader::with_capacity(0, file))
    }

    /// Fills `chunk` with the next fingerprints. It holds fewer only at the end.
    pub(super) fn fill(&self, from: &mut impl Read, chunk: &mut Vec<u8>) -> Result<(), SieveError> {
        chunk.clear();
        let mut limited = from.take(CHUNK_BYTES as u64);
        limited.read_to_end(chunk).map_err(|error| SieveError::new(&self.path, error))?;
        Ok(())
    }

    /// Whether the run holds a fingerprint. Interpolation search over blocks, because fingerprints are evenly
    /// distributed.
    pub(super) fn contains(&self, fingerprint: u64) -> Result<bool, SieveError> {
        let (mut low, mut high) = (0, self.info.len.div_ceil(BLOCK));
        // The range of values in the remaining blocks.
        let (mut least, mut most) = (0u64, u64::MAX);
        let mut block = Vec::new();
        while low < high {
            let share =
                u128::from(fingerprint - least) * u128::from(high - low) / (u128::from(most - least) + 1);
            let guess = (low + u64::try_from(share).unwrap_or(u64::MAX)).min(high - 1);
            self.read_block(guess, &mut block)?;
            let len = block.len() / WIDTH;
            let (first, last) = (fingerprint_at(&block, 0), fingerprint_at(&block, len - 1));
            if fingerprint < first {
                (high, most) = (guess, first);
            } else if fingerprint > last {
                (low, least) = (guess + 1, last);
            } else {
                return Ok(lower_bound(&block, 0, fingerprint).1);
            }
        }
        Ok(false)
    }

    fn read_block(&self, number: u64, block: &mut Vec<u8>) -> Result<(), SieveError> {
        let first = number * BLOCK;
        let len = (self.info.len - first).min(BLOCK);
        block.resize(len as usize * WIDTH, 0);
        self.file
            .read_exact_at(block, first * WIDTH as u64)
            .map_err(|error| SieveError::new(&self.path, error))
    }

    /// Adds the fingerprints of a range to `out`.
    pub(super) fn between(&self, range: &RangeInclusive<u64>, out: &mut Vec<u64>) -> Result<(), SieveError> {
        let blocks = self.info.len.div_ceil(BLOCK);
        let mut block = Vec::new();
        let (mut low, mut high) = (0, blocks);
        // Finds the first block that does not end before the range.
        while low < high {
            let middle = low.midpoint(high);
            self.read_block(middle, &mut block)?;
            if fingerprint_at(&block, block.len() / WIDTH - 1) < *range.start() {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        for number in low..blocks {
            self.read_block(number, &mut block)?;
            let held = (0..block.len() / WIDTH).map(|index| fingerprint_at(&block, index));
            out.extend(held.filter(|fingerprint| range.contains(fingerprint)));
            if fingerprint_at(&block, block.len() / WIDTH - 1) > *range.end() {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn check(&self) -> Result<(), SieveError> {
        let (mut reader, mut chunk) = (self.read()?, Vec::with_capacity(CHUNK_BYTES));
        let (mut sum, mut last) = (Xxh3Default::new(), None);
        loop {
            self.fill(&mut reader, &mut chunk)?;
            if chunk.is_empty() {
                break;
            }
            sum.update(&chunk);
            for index in 0..chunk.len() / WIDTH {
                let next = fingerprint_at(&chunk, index);
                if last.is_some_and(|last| last >= next) {
                    return Err(SieveError::new(&self.path, "it is not sorted"));
                }
                last = Some(next);
            }
        }
        if sum.digest() != self.info.sum {
            return Err(SieveError::new(&self.path, "it does not have the content that was written"));
        }
        Ok(())
    }
}

/// The first index of a chunk, from `from` on, whose fingerprint is not less than the given one, and whether they are
/// equal. Galloping search, because the next fingerprint is usually near.
pub(super) fn lower_bound(chunk: &[u8], from: usize, fingerprint: u64) -> (usize, bool) {
    let len = chunk.len() / WIDTH;
    let mut step = 1;
    let mut low = from;
    while low + step <= len && fingerprint_at(chunk, low + step - 1) < fingerprint {
        low += step;
        step *= 2;
    }
    let mut high = (low + step - 1).min(len);
    while low < high {
        let middle = low.midpoint(high);
        if fingerprint_at(chunk, middle) < fingerprint { low = middle + 1 } else { high = middle }
    }
    (low, low < len && fingerprint_at(chunk, low) == fingerprint)
}

/// A run that is being written.
pub(super) struct NewRun {
    id: u64,
    len: u64,
    sum: Xxh3Default,
    path: PathBuf,
    writer: BufWriter<File>,
}

impl NewRun {
    pub(super) fn create(directory: &Path, id: u64) -> Result<Self, SieveError> {
        std::fs::create_dir_all(directory).map_err(|error| SieveError::new(directory, error))?;
        let path = path_of(directory, id);
        let file = File::create(&path).map_err(|error| SieveError::new(&path, error))?;
        let writer = BufWriter::with_capacity(CHUNK_BYTES, file);
        Ok(Self { id, len: 0, sum: Xxh3Default::new(), path, writer })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Adds fingerprints as bytes.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), SieveError> {
        self.len += (bytes.len() / WIDTH) as u64;
        self.sum.update(bytes);
        self.writer.write_all(bytes).map_err(|error| SieveError::new(&self.path, error))
    }

    /// Syncs the run to disk, and opens it.
    pub(super) fn finish(self, directory: &Path) -> Result<Run, SieveError> {
        let Self { id, len, sum, path, writer } = self;
        let sync = || -> io::Result<()> {
            let file = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.sync_data()?;
            File::open(directory)?.sync_all()
        };
        sync().map_err(|error| SieveError::new(&path, error))?;
        Run::open(directory, RunInfo { id, len, sum: sum.digest() })
    }
}
