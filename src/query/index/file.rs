//! Index files: tables in their memory layout, so that single columns can be read.
//!
//! ```text
//! magic, length of the header, its XXH3-64 │ header (JSON) │ the first rows │ all rows
//! ```
//!
//! Cells and dictionaries are written in the byte order of the machine, which is little-endian on all
//! supported machines; the magic number reveals it. The header holds the XXH3-64 of every run of bytes. The
//! first rows are stored a second time with small dictionaries of their own, so that the first pages of a
//! list take one short read. Files are read with `pread`: a memory map reads far more from a cold disk than
//! is needed.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;
use zerocopy::IntoBytes;

use super::entry::StoreVersion;
use crate::query::engine::column::{Cells, Column, Encoding, ValueType};
use crate::query::engine::dictionary::TextDictionary;
use crate::query::engine::table::Table;
use crate::query::{Deadline, IndexState};

/// `"blkdix1\0"` as a little-endian number. The other byte order gives another number.
const MAGIC: u64 = 0x0031_7869_646b_6c62;

/// The maximum size of a header in bytes, so that a damaged length does not allocate more.
const MAX_HEADER: u64 = 1 << 26;

/// Bytes read between two checks of the deadline.
const BYTES_PER_CHECK: usize = 1 << 20;

/// The data of a file other than its rows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct FileMetadata {
    /// The cache key of the rows.
    pub key: String,
    #[serde(rename = "stamp")]
    pub version: StoreVersion,
    pub read_at: SystemTime,
    /// The state of the store that the rows are of, if it is known. Earlier versions do not write it.
    #[serde(default)]
    pub state: Option<IndexState>,
    /// The number of all rows.
    pub rows: usize,
    #[serde(rename = "active")]
    pub active_rows: usize,
    /// The number of links that the rows represent.
    pub links: u64,
    /// Statistics, as JSON.
    #[serde(rename = "facts")]
    pub statistics: Option<serde_json::Value>,
}

#[derive(Debug, Serialize, Deserialize)]
struct FileHeader {
    #[serde(rename = "label")]
    metadata: FileMetadata,
    head: Vec<StoredColumn>,
    whole: Vec<StoredColumn>,
}

/// The position of a column in the file, and its type.
#[derive(Debug, Serialize, Deserialize)]
struct StoredColumn {
    name: String,
    kind: ValueType,
    width: u8,
    cells: ByteRun,
    /// For texts their ends and their bytes; for addresses their bytes and an empty run.
    dictionary: Option<(ByteRun, ByteRun)>,
}

/// A run of bytes. Positions count from the end of the header.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct ByteRun {
    at: u64,
    bytes: u64,
    hash: u64,
}

/// Writes a file atomically: it exists completely or not at all. Returns its size in bytes.
pub(super) fn write(path: &Path, metadata: &FileMetadata, head: &Table, whole: &Table) -> io::Result<u64> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut plan = WritePlan::default();
    let header = FileHeader { metadata: metadata.clone(), head: plan.table(head), whole: plan.table(whole) };
    let header = serde_json::to_vec(&header)?;
    let file = tempfile::NamedTempFile::new_in(folder)?;
    let mut out = BufWriter::with_capacity(1 << 20, file);
    out.write_all([MAGIC, header.len() as u64, xxh3_64(&header)].as_bytes())?;
    out.write_all(&header)?;
    for run in plan.runs {
        out.write_all(&run)?;
    }
    let file = out.into_inner()?;
    let size = file.as_file().metadata()?.len();
    file.persist(path)?;
    Ok(size)
}

/// The runs of a file, in the order in which they are written.
#[derive(Default)]
struct WritePlan<'a> {
    runs: Vec<std::borrow::Cow<'a, [u8]>>,
    at: u64,
}

impl<'a> WritePlan<'a> {
    fn add(&mut self, bytes: impl Into<std::borrow::Cow<'a, [u8]>>) -> ByteRun {
        let bytes = bytes.into();
        let run = ByteRun { at: self.at, bytes: bytes.len() as u64, hash: xxh3_64(&bytes) };
        self.at += run.bytes;
        self.runs.push(bytes);
        run
    }

    fn table(&mut self, table: &'a Table) -> Vec<StoredColumn> {
        table.columns().iter().map(|(name, column)| self.column(name, column)).collect()
    }

    fn column(&mut self, name: &str, column: &'a Column) -> StoredColumn {
        let (width, cells) = match column.cells() {
            Cells::Bytes(cells) => (1, cells.as_slice()),
            Cells::Halves(cells) => (2, cells.as_bytes()),
            Cells::Words(cells) => (4, cells.as_bytes()),
        };
        let cells = self.add(cells);
        let dictionary = match column.encoding() {
            Encoding::Texts(texts) => {
                Some((self.add(texts.ends().as_bytes()), self.add(texts.arena().as_bytes())))
            }
            Encoding::Addresses(addresses) => {
                let bytes: Vec<u8> = addresses.iter().flat_map(|address| address_bytes(*address)).collect();
                Some((self.add(bytes), ByteRun::default()))
            }
            _ => None,
        };
        StoredColumn { name: name.to_owned(), kind: column.value_type(), width, cells, dictionary }
    }
}

/// An open index file.
#[derive(Debug)]
pub(super) struct IndexReader {
    file: File,
    /// The position of the first run.
    start: u64,
    header: FileHeader,
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{what} is damaged"))
}

impl IndexReader {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let mut start = [0u64; 3];
        file.read_exact(start.as_mut_bytes())?;
        let [magic, length, hash] = start;
        if magic != MAGIC || length > MAX_HEADER {
            return Err(damaged("the beginning"));
        }
        let mut header = vec![0; length as usize];
        file.read_exact(&mut header)?;
        if xxh3_64(&header) != hash {
            return Err(damaged("the header"));
        }
        let header = serde_json::from_slice(&header)?;
        Ok(Self { file, start: size_of_val(&start) as u64 + length, header })
    }

    pub(super) fn metadata(&self) -> &FileMetadata {
        &self.header.metadata
    }

    /// The first rows. The error kind [`io::ErrorKind::TimedOut`] means that the deadline is over.
    pub(super) fn head(&self, deadline: &Deadline) -> io::Result<Table> {
        self.table(&self.header.head, deadline)
    }

    /// All rows. Errors are those of [`Self::head`].
    pub(super) fn all_rows(&self, deadline: &Deadline) -> io::Result<Table> {
        self.table(&self.header.whole, deadline)
    }

    fn table(&self, stored: &[StoredColumn], deadline: &Deadline) -> io::Result<Table> {
        let columns = stored
            .iter()
            .map(|stored| Ok((stored.name.clone(), self.column(stored, deadline)?)))
            .collect::<io::Result<Vec<_>>>()?;
        let rows = columns.first().map_or(0, |(_, column)| column.rows());
        if columns.iter().any(|(_, column)| column.rows() != rows) {
            return Err(damaged("the number of rows"));
        }
        Ok(Table::new(rows, columns))
    }

    fn column(&self, stored: &StoredColumn, deadline: &Deadline) -> io::Result<Column> {
        let cells = match stored.width {
            1 => Cells::Bytes(self.run(stored.cells, 0u8, deadline)?),
            2 => Cells::Halves(self.run(stored.cells, 0u16, deadline)?),
            4 => Cells::Words(self.run(stored.cells, 0u32, deadline)?),
            _ => return Err(damaged("a width")),
        };
        let encoding = match (stored.kind, stored.dictionary) {
            (ValueType::Number, _) => Encoding::Number,
            (ValueType::Hundredths, _) => Encoding::Hundredths,
            (ValueType::TenThousandths, _) => Encoding::TenThousandths,
            (ValueType::Flag, _) => Encoding::Flag,
            (ValueType::Day, _) => Encoding::Day,
            (ValueType::DayNumber, _) => Encoding::DayNumber,
            (ValueType::Text, Some((ends, bytes))) => {
                let bytes = self.run(bytes, 0u8, deadline)?;
                let bytes = String::from_utf8(bytes).map_err(|_| damaged("a text"))?;
                let texts = TextDictionary::from_parts(bytes, self.run(ends, 0u64, deadline)?);
                Encoding::Texts(Arc::new(texts.ok_or_else(|| damaged("a dictionary"))?))
            }
            (ValueType::Address, Some((bytes, _))) => {
                let bytes = self.run(bytes, 0u8, deadline)?;
                Encoding::Addresses(Arc::new(bytes.as_chunks::<17>().0.iter().map(address_of).collect()))
            }
            _ => return Err(damaged("a kind")),
        };
        let column = Column::of(cells, encoding);
        let codes = column.dictionary_len();
        if codes.is_some_and(|codes| column.cells().largest().is_some_and(|cell| cell as usize >= codes)) {
            return Err(damaged("a code"));
        }
        Ok(column)
    }

    fn run<T: Clone + IntoBytes + zerocopy::FromBytes>(
        &self,
        run: ByteRun,
        zero: T,
        deadline: &Deadline,
    ) -> io::Result<Vec<T>>
    where
        [T]: IntoBytes + zerocopy::FromBytes,
    {
        // The hash of the header guarantees that this length is the written one.
        let mut values = vec![zero; run.bytes as usize / size_of::<T>()];
        let bytes = values.as_mut_bytes();
        let mut at = self.start + run.at;
        for chunk in bytes.chunks_mut(BYTES_PER_CHECK) {
            deadline.check().map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?;
            self.file.read_exact_at(chunk, at)?;
            at += chunk.len() as u64;
        }
        if xxh3_64(bytes) != run.hash {
            return Err(damaged("a run of bytes"));
        }
        Ok(values)
    }
}

/// An address as one byte for its version (0 for none, 4 or 6) and sixteen for its value.
fn address_bytes(address: Option<IpAddr>) -> [u8; 17] {
    let mut bytes = [0; 17];
    match address {
        None => {}
        Some(IpAddr::V4(address)) => {
            bytes[0] = 4;
            bytes[1..5].copy_from_slice(&address.octets());
        }
        Some(IpAddr::V6(address)) => {
            bytes[0] = 6;
            bytes[1..].copy_from_slice(&address.octets());
        }
    }
    bytes
}

fn address_of(bytes: &[u8; 17]) -> Option<IpAddr> {
    let [kind, value @ ..] = *bytes;
    match kind {
        4 => Some(IpAddr::V4(Ipv4Addr::new(value[0], value[1], value[2], value[3]))),
        6 => Some(IpAddr::V6(Ipv6Addr::from(value))),
        _ => None,
    }
}
