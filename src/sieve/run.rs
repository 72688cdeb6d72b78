//! One file of sorted fingerprints: eight bytes each, little end first, nothing else.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::ops::RangeInclusive;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::Xxh3Default;

use super::SieveError;

pub(super) const WIDTH: usize = 8;
/// Bytes read or written at once.
pub(super) const PIECE: usize = 1 << 20;
/// Fingerprints that a look-up reads at once: a block of the disk.
const BLOCK: u64 = 512;

/// What has to be known of a run to open it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunName {
    pub id: u64,
    /// Fingerprints in it.
    pub len: u64,
    /// XXH3-64 of its bytes.
    pub sum: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Run {
    pub name: RunName,
    pub path: PathBuf,
    file: std::sync::Arc<File>,
}

fn path_of(directory: &Path, id: u64) -> PathBuf {
    directory.join(format!("{id:012}.run"))
}

/// The fingerprint at a place of a piece of a run.
pub(super) fn at(piece: &[u8], place: usize) -> u64 {
    let bytes = piece.get(place * WIDTH..).and_then(<[u8]>::first_chunk);
    bytes.map_or(u64::MAX, |bytes| u64::from_le_bytes(*bytes))
}

impl Run {
    pub fn open(directory: &Path, name: RunName) -> Result<Self, SieveError> {
        let path = path_of(directory, name.id);
        let open = || -> io::Result<(File, u64)> {
            let file = File::open(&path)?;
            let bytes = file.metadata()?.len();
            Ok((file, bytes))
        };
        let (file, bytes) = open().map_err(|error| SieveError::new(&path, error))?;
        if bytes != name.len * WIDTH as u64 {
            let reason = format!(
                "it has {bytes} bytes instead of {}; `backlinkd verify --repair` makes it anew",
                name.len * WIDTH as u64
            );
            return Err(SieveError::new(&path, reason));
        }
        Ok(Self { name, path, file: file.into() })
    }

    /// Reads the run from its beginning, piece by piece.
    pub fn read(&self) -> Result<impl Read + use<>, SieveError> {
        // A handle of its own, for the position is the handle's.
        let file = File::open(&self.path).map_err(|error| SieveError::new(&self.path, error))?;
        Ok(BufReader::with_capacity(0, file))
    }

    /// Fills `piece` with the next fingerprints; fewer only at the end.
    pub fn fill(&self, from: &mut impl Read, piece: &mut Vec<u8>) -> Result<(), SieveError> {
        piece.clear();
        let mut limited = from.take(PIECE as u64);
        limited.read_to_end(piece).map_err(|error| SieveError::new(&self.path, error))?;
        Ok(())
    }

    /// Fingerprints are evenly spread, so their place can be guessed well, and blocks around it are read.
    pub fn holds(&self, fingerprint: u64) -> Result<bool, SieveError> {
        let (mut low, mut high) = (0, self.name.len.div_ceil(BLOCK));
        // The values that the blocks left can hold.
        let (mut least, mut most) = (0u64, u64::MAX);
        let mut block = Vec::new();
        while low < high {
            let share =
                u128::from(fingerprint - least) * u128::from(high - low) / (u128::from(most - least) + 1);
            let guess = (low + share as u64).min(high - 1);
            self.read_block(guess, &mut block)?;
            let len = block.len() / WIDTH;
            let (first, last) = (at(&block, 0), at(&block, len - 1));
            if fingerprint < first {
                (high, most) = (guess, first);
            } else if fingerprint > last {
                (low, least) = (guess + 1, last);
            } else {
                return Ok(place_from(&block, 0, fingerprint).1);
            }
        }
        Ok(false)
    }

    fn read_block(&self, number: u64, block: &mut Vec<u8>) -> Result<(), SieveError> {
        let first = number * BLOCK;
        let len = (self.name.len - first).min(BLOCK);
        block.resize(len as usize * WIDTH, 0);
        self.file
            .read_exact_at(block, first * WIDTH as u64)
            .map_err(|error| SieveError::new(&self.path, error))
    }

    /// Adds the fingerprints of a range to `out`.
    pub fn between(&self, range: &RangeInclusive<u64>, out: &mut Vec<u64>) -> Result<(), SieveError> {
        let blocks = self.name.len.div_ceil(BLOCK);
        let mut block = Vec::new();
        let (mut low, mut high) = (0, blocks);
        // The first block that does not end before the range.
        while low < high {
            let middle = low.midpoint(high);
            self.read_block(middle, &mut block)?;
            if at(&block, block.len() / WIDTH - 1) < *range.start() {
                low = middle + 1
            } else {
                high = middle
            }
        }
        for number in low..blocks {
            self.read_block(number, &mut block)?;
            let held = (0..block.len() / WIDTH).map(|place| at(&block, place));
            out.extend(held.filter(|fingerprint| range.contains(fingerprint)));
            if at(&block, block.len() / WIDTH - 1) > *range.end() {
                break;
            }
        }
        Ok(())
    }

    pub fn check(&self) -> Result<(), SieveError> {
        let (mut reader, mut piece) = (self.read()?, Vec::with_capacity(PIECE));
        let (mut sum, mut last) = (Xxh3Default::new(), None);
        loop {
            self.fill(&mut reader, &mut piece)?;
            if piece.is_empty() {
                break;
            }
            sum.update(&piece);
            for place in 0..piece.len() / WIDTH {
                let next = at(&piece, place);
                if last.is_some_and(|last| last >= next) {
                    return Err(SieveError::new(&self.path, "it is not sorted"));
                }
                last = Some(next);
            }
        }
        if sum.digest() != self.name.sum {
            return Err(SieveError::new(&self.path, "it is not what was written"));
        }
        Ok(())
    }
}

/// The first place in a piece, from `from` on, whose fingerprint is not below the given one, and whether it is that
/// one. Gallops, for the next is near as a rule.
pub(super) fn place_from(piece: &[u8], from: usize, fingerprint: u64) -> (usize, bool) {
    let len = piece.len() / WIDTH;
    let mut step = 1;
    let mut low = from;
    while low + step <= len && at(piece, low + step - 1) < fingerprint {
        low += step;
        step *= 2;
    }
    let mut high = (low + step - 1).min(len);
    while low < high {
        let middle = low.midpoint(high);
        if at(piece, middle) < fingerprint { low = middle + 1 } else { high = middle }
    }
    (low, low < len && at(piece, low) == fingerprint)
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
    pub fn create(directory: &Path, id: u64) -> Result<Self, SieveError> {
        std::fs::create_dir_all(directory).map_err(|error| SieveError::new(directory, error))?;
        let path = path_of(directory, id);
        let file = File::create(&path).map_err(|error| SieveError::new(&path, error))?;
        let writer = BufWriter::with_capacity(PIECE, file);
        Ok(Self { id, len: 0, sum: Xxh3Default::new(), path, writer })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds fingerprints, as bytes.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), SieveError> {
        self.len += (bytes.len() / WIDTH) as u64;
        self.sum.update(bytes);
        self.writer.write_all(bytes).map_err(|error| SieveError::new(&self.path, error))
    }

    /// Sees to it that the run is on the disk.
    pub fn finish(self, directory: &Path) -> Result<Run, SieveError> {
        let Self { id, len, sum, path, writer } = self;
        let settle = || -> io::Result<()> {
            let file = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.sync_data()?;
            File::open(directory)?.sync_all()
        };
        settle().map_err(|error| SieveError::new(&path, error))?;
        Run::open(directory, RunName { id, len, sum: sum.digest() })
    }
}
