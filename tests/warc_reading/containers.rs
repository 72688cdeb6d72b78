//! The same records in every container, from the beginning and from any record on.

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use backlinkd::model::Cut;
use backlinkd::warc::{
    ArchiveError, ArchiveItem, ArchiveRecord, ReadLimits, RecordKind, RecordPosition, RecordReader,
    SkipReason, Truncation,
};

use super::Contents;
use super::made::{Container, block, gzip, id, pack, record, responses};

#[test]
fn every_container_gives_the_same_records() {
    let records = responses(40, 1);
    for container in Container::ALL {
        let packed = pack(&records, container);
        let contents = Contents::of(&packed.bytes);
        assert_eq!(contents.skipped, [], "{container:?}");
        assert_eq!(contents.records.len(), records.len(), "{container:?}");
        for (number, (found, made)) in contents.records.iter().zip(&records).enumerate() {
            assert_eq!(found.block, block(made), "{container:?} {number}");
            let head = &found.head;
            assert_eq!(head.id, Some(id(number)));
            assert_eq!(head.target.as_deref(), Some(&*format!("http://a.test/{number}")));
            assert_eq!((head.kind, head.unix_seconds), (RecordKind::Response, Some(1_709_209_815)));
            assert_eq!(head.ip, Some([192, 0, 2, 7].into()));
            if let Some(range) = packed.ranges.get(number) {
                assert_eq!(head.position, RecordPosition { file: range.start as u64, within: 0 });
            }
        }
    }
}

#[test]
fn a_reader_starts_at_any_record() {
    let records = responses(40, 2);
    for container in Container::ALL {
        let bytes = pack(&records, container).bytes;
        let all = Contents::of(&bytes).records;
        for (number, first) in all.iter().enumerate() {
            let source = Cursor::new(&bytes);
            let position = first.head.position;
            let mut reader = RecordReader::starting_at(source, position, ReadLimits::default()).unwrap();
            let mut rest: Vec<ArchiveRecord> = Vec::new();
            while let Some(item) = reader.next_item(|_| true).unwrap() {
                let ArchiveItem::Record(record) = item else { panic!("{container:?} {number} {item:?}") };
                assert_eq!(reader.position(), record.head.position);
                rest.push(*record);
            }
            assert_eq!(rest, all[number..], "{container:?} {number}");
        }
    }
}

/// A connection that breaks after some bytes.
struct BrokenSource<'a> {
    bytes: Cursor<&'a [u8]>,
    left: usize,
}

impl Read for BrokenSource<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::Error::other("the connection broke"));
        }
        let most = buffer.len().min(self.left).min(700);
        let read = self.bytes.read(&mut buffer[..most])?;
        self.left -= read;
        Ok(read)
    }
}

impl Seek for BrokenSource<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.bytes.seek(to)
    }
}

#[test]
fn a_broken_connection_costs_no_record_and_doubles_none() {
    let mut records = responses(30, 12);
    records[11].truncate(200);
    for container in Container::ALL {
        let bytes = pack(&records, container).bytes;
        let expected = Contents::of(&bytes);
        for length in [bytes.len() / 4, bytes.len() / 2, bytes.len() / 8 * 7] {
            let (mut found, mut position, mut breaks) =
                (Contents::default(), RecordPosition::default(), 0_usize);
            loop {
                let source = BrokenSource { bytes: Cursor::new(&bytes), left: length + 5_000 * breaks };
                let started = match position == RecordPosition::default() {
                    true => RecordReader::new(source, ReadLimits::default()),
                    false => RecordReader::starting_at(source, position, ReadLimits::default()),
                };
                let mut reader = match started {
                    Ok(reader) => reader,
                    Err(ArchiveError::Io(_)) => {
                        breaks += 1;
                        continue;
                    }
                    Err(error) => panic!("{error}"),
                };
                let ended = loop {
                    match reader.next_item(|_| true) {
                        Ok(Some(ArchiveItem::Record(record))) => found.records.push(*record),
                        Ok(Some(ArchiveItem::Skipped(skipped))) => found.skipped.push(skipped),
                        ended => break ended,
                    }
                };
                if ended.is_ok() {
                    break;
                }
                position = reader.position();
                breaks += 1;
            }
            assert!(breaks > 0 && found.records == expected.records, "{container:?} {length}");
            assert_eq!(found.skipped, expected.skipped, "{container:?} {length}");
        }
    }
}

#[test]
fn unwanted_blocks_are_left_out() {
    let records = responses(9, 3);
    for container in Container::ALL {
        let bytes = pack(&records, container).bytes;
        let mut reader = RecordReader::new(Cursor::new(&bytes), ReadLimits::default()).unwrap();
        let mut number = 0;
        while let Some(item) = reader.next_item(|head| head.id == Some(id(4))).unwrap() {
            let ArchiveItem::Record(found) = item else { panic!("{item:?}") };
            let expected = if number == 4 { block(&records[4]) } else { &[] };
            assert_eq!(found.block, expected, "{container:?} {number}");
            number += 1;
        }
        assert_eq!(number, 9);
    }
}

#[test]
fn long_blocks_are_cut() {
    let limits = ReadLimits { max_block_bytes: 100, ..ReadLimits::default() };
    let records = [record(0, "response", &[b'x'; 101]), record(1, "response", &[b'x'; 100])];
    for container in Container::ALL {
        let bytes = pack(&records, container).bytes;
        let contents = Contents::with_limits(Cursor::new(bytes), limits.clone()).unwrap();
        let seen: Vec<_> = contents.records.iter().map(|record| (record.block.len(), record.cut)).collect();
        assert_eq!(seen, [(100, Some(Cut::Length)), (100, None)], "{container:?}");
    }
}

#[test]
fn other_forms_of_headers_are_read() {
    let text = "\r\n\nWARC/0.18\nwarc-type:revisit\nWARC-Target-URI: <http://a.test/\u{e9}>\nContent-Length:3\n\
                WARC-Date: 2024-02\nWARC-IP-Address: [2001:db8::1]\nWARC-Truncated: TIME\nWARC-Profile: http://p\n\
                WARC-Refers-To-Target-URI: http://b.test/\nWARC-Refers-To-Date: 2024-02-29T12:30Z\n\
                Odd line\nX-Long: a\n b\n\nabc\n\n\n\n\n\
                WARC/1.0\r\nWARC-Type: odd\r\nContent-Length: 0\r\n\r\n\
                WARC/1.0\r\nWARC-Type: resource\r\nWARC-Truncated: because\r\nContent-Length: 1\r\n\r\nz\n";
    let contents = Contents::of(text.as_bytes());
    assert_eq!(contents.skipped, []);
    let [revisit, odd, last] = &contents.records[..] else { panic!("{contents:?}") };
    let head = &revisit.head;
    assert_eq!((head.kind, head.position.file), (RecordKind::Revisit, 3));
    assert_eq!(head.target.as_deref(), Some("http://a.test/\u{e9}"));
    assert_eq!((head.unix_seconds, head.ip), (Some(1_706_745_600), "2001:db8::1".parse().ok()));
    assert_eq!((head.truncation, revisit.cut), (Some(Truncation::Time), Some(Cut::Time)));
    assert_eq!(
        (head.profile.as_deref(), head.refers_to.as_deref()),
        (Some("http://p"), Some("http://b.test/"))
    );
    assert_eq!(head.refers_to_unix_seconds, Some(1_709_209_800));
    assert_eq!((odd.head.kind, odd.block.len()), (RecordKind::Other, 0));
    assert_eq!((last.head.truncation, last.cut), (Some(Truncation::Unspecified), None));
    assert_eq!(last.block, "z");
}

const ARC: &str = "filedesc://x.arc 0.0.0.0 20240229123015 text/plain 65\n\
                   1 0 Maker\nURL IP-address Archive-date Content-type Archive-length\n\n";

/// An ARC file of two pages and an answer of a name server; version 2 has more fields.
fn arc(version_2: bool) -> Vec<Vec<u8>> {
    let more = if version_2 { "200 - - 0 x.arc " } else { "" };
    let page = |number: usize, body: &str| {
        let message = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n{body}");
        let length = message.len();
        let head = format!("http://a.test/{number} x 192.0.2.7 20240229123015 text/html {more}{length}\n");
        format!("{head}{message}\n").into_bytes()
    };
    let dns = format!("dns:a.test 192.0.2.9 20240229123015 text/dns {more}3\nabc\n").into_bytes();
    vec![format!("{ARC}\n").into_bytes(), page(0, "<p>0"), dns, page(1, "<p>1\n\n")]
}

#[test]
fn arc_files_are_read() {
    for version_2 in [false, true] {
        for container in Container::ALL {
            let contents = Contents::of(&pack(&arc(version_2), container).bytes);
            assert_eq!(contents.skipped, [], "{container:?}");
            let kinds: Vec<RecordKind> = contents.records.iter().map(|record| record.head.kind).collect();
            let expected =
                [RecordKind::Info, RecordKind::Response, RecordKind::Resource, RecordKind::Response];
            assert_eq!(kinds, expected, "{container:?}");
            let page = &contents.records[3];
            assert_eq!(page.head.target.as_deref(), Some("http://a.test/1 x"));
            assert_eq!(page.head.unix_seconds, Some(1_709_209_815));
            assert_eq!(page.head.ip, Some([192, 0, 2, 7].into()));
            assert!(page.head.is_http() && page.block.ends_with(b"\r\n\r\n<p>1\n\n"));
            assert_eq!(contents.records[2].block, "abc");
        }
    }
}

#[test]
fn reading_goes_on_behind_damage_in_arc_files() {
    for container in Container::ALL {
        let mut records = arc(false);
        records.insert(2, b"garbage in between\nand more\n".to_vec());
        let contents = Contents::of(&pack(&records, container).bytes);
        let reasons: Vec<SkipReason> = contents.skipped.iter().map(|skipped| skipped.reason).collect();
        // One line end separates records. Without members it does not show which of two records is wrong.
        match container.is_by_record() {
            true => assert_eq!((contents.records.len(), &reasons[..]), (4, &[SkipReason::Garbage][..])),
            false => assert_eq!((contents.records.len(), &reasons[..]), (3, &[SkipReason::WrongLength][..])),
        }
        assert_eq!(contents.records.last().unwrap().head.target.as_deref(), Some("http://a.test/1 x"));
    }
}

#[test]
fn padding_is_no_damage() {
    let records = responses(2, 4);
    let padded = [gzip(&records[0]), vec![0; 300], gzip(&records[1]), vec![0; 70_000]].concat();
    let skippable = b"\x51\x2a\x4d\x18\x03\0\0\0abc".to_vec();
    let zstd = pack(&records, Container::Zstd);
    let between =
        [&zstd.bytes[zstd.ranges[0].clone()], &skippable, &zstd.bytes[zstd.ranges[1].clone()]].concat();
    let first = [skippable, zstd.bytes].concat();
    for bytes in [
        padded,
        between,
        first,
        pack(&[Vec::new(), records[0].clone(), records[1].clone()], Container::Gzip).bytes,
    ] {
        let contents = Contents::of(&bytes);
        assert_eq!((contents.records.len(), contents.skipped.len()), (2, 0));
    }
    assert_eq!(Contents::of(b"").records, []);
}
