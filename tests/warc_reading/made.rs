//! Archives made for tests, in every container.

use std::io::Write;
use std::ops::Range;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::support::dice::Dice;

/// How the records of a file are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    Plain,
    /// One gzip member for each record.
    Gzip,
    GzipWhole,
    /// gzip members that end anywhere.
    GzipBlocks,
    Zstd,
    ZstdWhole,
    ZstdDictionary,
    ZstdPackedDictionary,
}

impl Container {
    pub const ALL: [Self; 8] = [
        Self::Plain,
        Self::Gzip,
        Self::GzipWhole,
        Self::GzipBlocks,
        Self::Zstd,
        Self::ZstdWhole,
        Self::ZstdDictionary,
        Self::ZstdPackedDictionary,
    ];

    /// Whether each record has a member, whose checksum is checked.
    pub fn is_by_record(self) -> bool {
        matches!(self, Self::Gzip | Self::Zstd | Self::ZstdDictionary | Self::ZstdPackedDictionary)
    }
}

/// A file, and where each record is in it, if that is a range of its own.
pub struct Packed {
    pub bytes: Vec<u8>,
    pub ranges: Vec<Range<usize>>,
}

pub fn pack(records: &[Vec<u8>], container: Container) -> Packed {
    let whole = records.concat();
    let single = |bytes| Packed { bytes, ranges: Vec::new() };
    match container {
        Container::Plain => joined(Vec::new(), records.to_vec()),
        Container::Gzip => joined(Vec::new(), records.iter().map(|record| gzip(record)).collect()),
        Container::GzipWhole => single(gzip(&whole)),
        Container::GzipBlocks => single(whole.chunks(1_000).flat_map(gzip).collect()),
        Container::Zstd => joined(Vec::new(), records.iter().map(|record| zstd(record, &[])).collect()),
        Container::ZstdWhole => single(zstd(&whole, &[])),
        Container::ZstdDictionary | Container::ZstdPackedDictionary => {
            let dictionary = dictionary();
            let packed = records.iter().map(|record| zstd(record, &dictionary)).collect();
            let content = match container {
                Container::ZstdDictionary => dictionary,
                _ => zstd(&dictionary, &[]),
            };
            let length = u32::try_from(content.len()).unwrap().to_le_bytes();
            joined([&b"\x5d\x2a\x4d\x18"[..], &length, &content].concat(), packed)
        }
    }
}

fn joined(mut bytes: Vec<u8>, records: Vec<Vec<u8>>) -> Packed {
    let mut ranges = Vec::new();
    for record in records {
        ranges.push(bytes.len()..bytes.len() + record.len());
        bytes.extend(record);
    }
    Packed { bytes, ranges }
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8], dictionary: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::with_dictionary(Vec::new(), 3, dictionary).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn dictionary() -> Vec<u8> {
    let mut dice = Dice(9);
    let samples: Vec<Vec<u8>> = (0..500).map(|n| response(n, &mut dice)).collect();
    zstd::dict::from_samples(&samples, 4_096).unwrap()
}

/// The id of a record.
pub fn id(number: usize) -> String {
    format!("urn:uuid:00000000-0000-4000-8000-{number:012}")
}

/// A record with this block.
pub fn record(number: usize, kind: &str, block: &[u8]) -> Vec<u8> {
    let id = id(number);
    let head = format!(
        "WARC/1.1\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <{id}>\r\nWARC-Date: 2024-02-29T12:30:15.5Z\r\n\
         WARC-Target-URI: http://a.test/{number}\r\nWARC-IP-Address: 192.0.2.7\r\n\
         Content-Type: application/http; msgtype={kind}\r\nContent-Length: {}\r\n\r\n",
        block.len()
    );
    [head.as_bytes(), block, b"\r\n\r\n"].concat()
}

/// A response record with a page of some size, or with noise.
pub fn response(number: usize, dice: &mut Dice) -> Vec<u8> {
    let words = usize::try_from(dice.below(60)).unwrap();
    let mut body = format!("<title>Page {number}</title>");
    for _ in 0..words {
        body += &format!("<p><a href=/{}>link {}</a>", dice.below(100), dice.below(1_000_000));
    }
    if dice.below(3) == 0 {
        body += &dice.noise(words);
    }
    record(number, "response", format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n{body}").as_bytes())
}

/// Some response records.
pub fn responses(count: usize, seed: u64) -> Vec<Vec<u8>> {
    let mut dice = Dice(seed);
    (0..count).map(|number| response(number, &mut dice)).collect()
}

/// The block of a record made by [`record`].
pub fn block(record: &[u8]) -> &[u8] {
    let head = record.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap() + 4;
    &record[head..record.len() - 4]
}
