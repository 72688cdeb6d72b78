//! An index file: tables as they lie in memory, ready to be read by columns.
//!
//! ```text
//! magic, length of the header, its XXH3-64 │ header (JSON) │ the first rows │ all rows
//! ```
//!
//! Cells and dictionaries are written as the machine has them, little end first on all that this runs on; the magic
//! number says so. Every run of bytes has its XXH3-64 in the header. The first rows stand by themselves, with small
//! dictionaries of their own, so that the first pages of a list are one short read. Files are read with `pread`:
//! mapping them reads far more from a cold disk than is needed.

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

use super::kept::Stamp;
use crate::query::Deadline;
use crate::query::column::{Cells, Column, Kind, Meaning};
use crate::query::dictionary::Texts;
use crate::query::table::Table;

/// "backlinkd index 1", as a number that reads differently on a machine of the other byte order.
const MAGIC: u64 = 0x0031_7869_646b_6c62;

/// Bytes of a header at most, so that a damaged length asks for no more.
const MAX_HEADER: u64 = 1 << 26;

/// Bytes read between two looks at the deadline.
const BYTES_A_LOOK: usize = 1 << 20;

/// What stands in a file besides rows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Label {
    /// Whose rows these are.
    pub key: String,
    pub stamp: Stamp,
    pub read_at: SystemTime,
    /// How many rows there are in all.
    pub rows: usize,
    /// How many of them are active.
    pub active: usize,
    /// How many links they stand for.
    pub links: u64,
    /// Facts, as JSON.
    pub facts: Option<serde_json::Value>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    label: Label,
    head: Vec<Stored>,
    whole: Vec<Stored>,
}

/// Where a column lies, and what its cells mean.
#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    name: String,
    kind: StoredKind,
    width: u8,
    cells: Run,
    /// Where the texts of a dictionary end, and their bytes; or addresses, and nothing.
    dictionary: Option<(Run, Run)>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum StoredKind {
    Number,
    Hundredths,
    TenThousandths,
    Flag,
    Day,
    DayNumber,
    Text,
    Address,
}

/// Bytes of the file, counted from the end of the header.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Run {
    at: u64,
    bytes: u64,
    hash: u64,
}

/// Writes a file in one step: it is there whole, or not at all. Gives its size.
pub(super) fn write(path: &Path, label: &Label, head: &Table, whole: &Table) -> io::Result<u64> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut plan = Plan::default();
    let header = Header { label: label.clone(), head: plan.table(head), whole: plan.table(whole) };
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

/// The runs of a file to be written.
#[derive(Default)]
struct Plan<'a> {
    runs: Vec<std::borrow::Cow<'a, [u8]>>,
    at: u64,
}

impl<'a> Plan<'a> {
    fn add(&mut self, bytes: impl Into<std::borrow::Cow<'a, [u8]>>) -> Run {
        let bytes = bytes.into();
        let run = Run { at: self.at, bytes: bytes.len() as u64, hash: xxh3_64(&bytes) };
        self.at += run.bytes;
        self.runs.push(bytes);
        run
    }

    fn table(&mut self, table: &'a Table) -> Vec<Stored> {
        table.columns().iter().map(|(name, column)| self.column(name, column)).collect()
    }

    fn column(&mut self, name: &str, column: &'a Column) -> Stored {
        let (width, cells) = match column.cells() {
            Cells::Bytes(cells) => (1, cells.as_slice()),
            Cells::Halves(cells) => (2, cells.as_bytes()),
            Cells::Words(cells) => (4, cells.as_bytes()),
        };
        let cells = self.add(cells);
        let dictionary = match column.meaning() {
            Meaning::Texts(texts) => {
                Some((self.add(texts.ends().as_bytes()), self.add(texts.arena().as_bytes())))
            }
            Meaning::Addresses(addresses) => {
                let bytes: Vec<u8> = addresses.iter().flat_map(|address| address_bytes(*address)).collect();
                Some((self.add(bytes), Run::default()))
            }
            _ => None,
        };
        let kind = match column.kind() {
            Kind::Number => StoredKind::Number,
            Kind::Hundredths => StoredKind::Hundredths,
            Kind::TenThousandths => StoredKind::TenThousandths,
            Kind::Flag => StoredKind::Flag,
            Kind::Day => StoredKind::Day,
            Kind::DayNumber => StoredKind::DayNumber,
            Kind::Text => StoredKind::Text,
            Kind::Address => StoredKind::Address,
        };
        Stored { name: name.to_owned(), kind, width, cells, dictionary }
    }
}

/// A file being read.
#[derive(Debug)]
pub(super) struct Reader {
    file: File,
    /// Where the runs begin.
    start: u64,
    header: Header,
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{what} is damaged"))
}

impl Reader {
    pub fn open(path: &Path) -> io::Result<Self> {
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

    pub fn label(&self) -> &Label {
        &self.header.label
    }

    /// The first rows. Of the kind [`io::ErrorKind::TimedOut`] is the error of the deadline.
    pub fn head(&self, deadline: &Deadline) -> io::Result<Table> {
        self.table(&self.header.head, deadline)
    }

    /// All rows, likewise.
    pub fn whole(&self, deadline: &Deadline) -> io::Result<Table> {
        self.table(&self.header.whole, deadline)
    }

    fn table(&self, stored: &[Stored], deadline: &Deadline) -> io::Result<Table> {
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

    fn column(&self, stored: &Stored, deadline: &Deadline) -> io::Result<Column> {
        let cells = match stored.width {
            1 => Cells::Bytes(self.run(stored.cells, 0u8, deadline)?),
            2 => Cells::Halves(self.run(stored.cells, 0u16, deadline)?),
            4 => Cells::Words(self.run(stored.cells, 0u32, deadline)?),
            _ => return Err(damaged("a width")),
        };
        let meaning = match (stored.kind, stored.dictionary) {
            (StoredKind::Number, _) => Meaning::Number,
            (StoredKind::Hundredths, _) => Meaning::Hundredths,
            (StoredKind::TenThousandths, _) => Meaning::TenThousandths,
            (StoredKind::Flag, _) => Meaning::Flag,
            (StoredKind::Day, _) => Meaning::Day,
            (StoredKind::DayNumber, _) => Meaning::DayNumber,
            (StoredKind::Text, Some((ends, bytes))) => {
                let bytes = self.run(bytes, 0u8, deadline)?;
                let bytes = String::from_utf8(bytes).map_err(|_| damaged("a text"))?;
                let texts = Texts::from_parts(bytes, self.run(ends, 0u64, deadline)?);
                Meaning::Texts(Arc::new(texts.ok_or_else(|| damaged("a dictionary"))?))
            }
            (StoredKind::Address, Some((bytes, _))) => {
                let bytes = self.run(bytes, 0u8, deadline)?;
                Meaning::Addresses(Arc::new(bytes.as_chunks::<17>().0.iter().map(address_of).collect()))
            }
            _ => return Err(damaged("a kind")),
        };
        let column = Column::of(cells, meaning);
        let codes = column.codes();
        if codes.is_some_and(|codes| column.cells().largest().is_some_and(|cell| cell as usize >= codes)) {
            return Err(damaged("a code"));
        }
        Ok(column)
    }

    fn run<T: Clone + IntoBytes + zerocopy::FromBytes>(
        &self,
        run: Run,
        zero: T,
        deadline: &Deadline,
    ) -> io::Result<Vec<T>>
    where
        [T]: IntoBytes + zerocopy::FromBytes,
    {
        // The header's own hash vouches for the length.
        let mut values = vec![zero; run.bytes as usize / size_of::<T>()];
        let bytes = values.as_mut_bytes();
        let mut at = self.start + run.at;
        for piece in bytes.chunks_mut(BYTES_A_LOOK) {
            deadline.check().map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?;
            self.file.read_exact_at(piece, at)?;
            at += piece.len() as u64;
        }
        if xxh3_64(bytes) != run.hash {
            return Err(damaged("a run of bytes"));
        }
        Ok(values)
    }
}

/// An address as a byte that tells its kind, and sixteen for its value.
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
