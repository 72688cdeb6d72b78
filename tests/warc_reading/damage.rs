//! Damaged archives: each damage has a reason, and all records beside it are read.

use std::collections::BTreeSet;
use std::io::Cursor;

use backlinkd::warc::{ArchiveError, ArchiveItem, ReadLimits, RecordReader, SkipReason};

use super::Contents;
use super::made::{Container, Packed, block, gzip, id, pack, record, responses};
use crate::support::dice::Dice;

/// Damaged archives of each container; the variable `WARC_READING_CASES` has another number.
fn cases() -> u64 {
    std::env::var("WARC_READING_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(4_000)
}

/// The numbers of the records, and the reasons of what was skipped.
fn outline(bytes: &[u8]) -> (Vec<usize>, Vec<SkipReason>) {
    let contents = Contents::of(bytes);
    let number = |id: &Option<String>| id.as_deref().unwrap()[33..].parse().unwrap();
    let numbers = contents.records.iter().map(|record| number(&record.head.id)).collect();
    (numbers, contents.skipped.iter().map(|skipped| skipped.reason).collect())
}

/// The third of four records is replaced. The first one may begin a member that has all of them: then its checksum is
/// not known.
fn with_third(third: Vec<u8>, container: Container) -> (Vec<usize>, Vec<SkipReason>) {
    let records = responses(4, 5);
    outline(&pack(&[records[0].clone(), records[1].clone(), third, records[3].clone()], container).bytes)
}

#[test]
fn each_damage_of_a_record_has_a_reason() {
    let good = String::from_utf8(responses(3, 5)[2].clone()).unwrap();
    let length = good.split("Content-Length: ").nth(1).unwrap().split('\r').next().unwrap();
    let with_length = |other: &str| good.replace(&format!("Length: {length}"), &format!("Length: {other}"));
    let longer: usize = length.parse::<usize>().unwrap() + 50;
    for (record, reason) in [
        (good.replace("WARC/1.1", "WARX/1.1"), SkipReason::Garbage),
        (good.replace("WARC/1.1", "WARC/7.1"), SkipReason::Garbage),
        ("a".repeat(100_000), SkipReason::Garbage),
        (with_length(""), SkipReason::NoLength),
        (with_length("-5"), SkipReason::NoLength),
        (with_length("+5"), SkipReason::NoLength),
        (with_length("99999999999999999999"), SkipReason::NoLength),
        (with_length("5\r\nContent-Length: 6"), SkipReason::NoLength),
        (good.replace("Content-Length", "X-Length"), SkipReason::NoLength),
        (with_length("50"), SkipReason::WrongLength),
        (with_length(&longer.to_string()), SkipReason::WrongLength),
        (format!("WARC/1.0\r\nX: {}", "a".repeat(200_000)), SkipReason::HeaderTooLong),
        ("WARC/1.0\r\nWARC-Type: response\r\n".to_owned(), SkipReason::Header),
    ] {
        for container in Container::ALL {
            let is_long = record.contains(&format!("Length: {longer}"));
            if is_long && container == Container::GzipBlocks {
                // The next record is in the block, of which no single member holds all.
                continue;
            }
            let (numbers, reasons) = with_third(record.clone().into_bytes(), container);
            assert_eq!(numbers, [0, 1, 3], "{container:?} {record:.300}");
            assert_eq!(reasons, [reason], "{container:?} {record:.300}");
        }
    }
    // A length beyond the end of the file.
    for container in Container::ALL.into_iter().filter(|container| *container != Container::GzipBlocks) {
        let (numbers, reasons) = with_third(with_length("99999999999").into_bytes(), container);
        assert_eq!(numbers, [0, 1, 3], "{container:?}");
        let expected = match container {
            Container::Plain => SkipReason::Cut,
            _ => SkipReason::WrongLength,
        };
        assert_eq!(reasons, [expected], "{container:?}");
    }
}

#[test]
fn damaged_members_are_skipped() {
    let records = responses(3, 6);
    for container in Container::ALL.into_iter().filter(|container| container.is_by_record()) {
        let Packed { bytes, ranges } = pack(&records, container);
        let second = ranges[1].clone();
        let with = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut member = bytes[second.clone()].to_vec();
            change(&mut member);
            outline(&[&bytes[..second.start], &member, &bytes[second.end..]].concat())
        };
        let damage = |reason| (vec![0, 2], vec![reason]);
        let last = |member: &mut Vec<u8>| {
            let at = member.len() - 5;
            member[at] ^= 1;
        };
        assert_eq!(with(&last), damage(SkipReason::Compression), "{container:?}");
        assert_eq!(with(&|member| member[20] ^= 0xff), damage(SkipReason::Compression), "{container:?}");
        assert_eq!(with(&|member| member[0] ^= 1), damage(SkipReason::Garbage), "{container:?}");
        assert_eq!(
            with(&|member| member.truncate(member.len() / 2)),
            damage(SkipReason::Compression),
            "{container:?}"
        );
        let cut = outline(&bytes[..ranges[2].end - 3]);
        assert_eq!(cut, (vec![0, 1], vec![SkipReason::Cut]), "{container:?}");
    }
}

#[test]
fn a_record_that_a_page_quotes_is_no_record() {
    let quoted = String::from_utf8(record(9, "response", b"x")).unwrap();
    let page = record(0, "response", format!("HTTP/1.1 200 OK\r\n\r\n<pre>\n{quoted}\n</pre>").as_bytes());
    for container in Container::ALL {
        let bytes = pack(&[page.clone(), responses(2, 7)[1].clone()], container).bytes;
        assert_eq!(outline(&bytes), (vec![0, 1], vec![]), "{container:?}");
    }
}

/// Applies damage. Returns the records that it does not touch.
fn damage(packed: &mut Packed, dice: &mut Dice) -> Vec<usize> {
    let bytes = &mut packed.bytes;
    let length = bytes.len() as u64;
    let at = usize::try_from(dice.below(length)).unwrap();
    let most = if dice.below(4) == 0 { 5_000 } else { 20 };
    let some = usize::try_from(dice.below(most)).unwrap() + 1;
    let end = (at + some).min(bytes.len());
    let mut touched = at..end;
    match dice.below(7) {
        0 => {
            bytes.truncate(at);
            touched = at..usize::MAX;
        }
        1 => {
            bytes[at] ^= 1 << dice.below(8);
            touched = at..at + 1;
        }
        2 => _ = bytes.drain(at..end),
        3 => bytes[at..end].fill(0),
        4 => {
            let noise: Vec<u8> = (at..end).map(|_| dice.roll().to_le_bytes()[0]).collect();
            bytes[at..end].copy_from_slice(&noise);
        }
        5 => {
            // Another part of the file overwrites this one.
            let from = usize::try_from(dice.below(length)).unwrap();
            let part = bytes[from..(from + some).min(bytes.len())].to_vec();
            let end = (at + part.len()).min(bytes.len());
            bytes[at..end].copy_from_slice(&part[..end - at]);
            touched = at..end;
        }
        _ => {
            let from = usize::try_from(dice.below(length)).unwrap();
            let part = bytes[from..(from + some).min(bytes.len())].to_vec();
            bytes.splice(at..at, part);
            touched = at..at;
        }
    }
    // A dictionary comes before the records, and all of them need it.
    if packed.ranges.first().is_none_or(|first| touched.start < first.start) {
        return Vec::new();
    }
    let is_intact = |range: &std::ops::Range<usize>| range.end <= touched.start || range.start >= touched.end;
    (0..packed.ranges.len()).filter(|number| is_intact(&packed.ranges[*number])).collect()
}

/// Bit flips, truncations, deletions, noise and splices.
#[test]
fn damage_costs_only_the_records_that_it_touches() {
    let records = responses(12, 8);
    let all: BTreeSet<(Option<String>, &[u8])> =
        records.iter().enumerate().map(|(number, record)| (Some(id(number)), block(record))).collect();
    for container in Container::ALL {
        let (made, mut losses) = (pack(&records, container), Vec::new());
        for case in 0..cases() {
            let mut packed = Packed { bytes: made.bytes.clone(), ranges: made.ranges.clone() };
            let intact = damage(&mut packed, &mut Dice(case << 8));
            let what = format!("{container:?} {case}");
            // Otherwise the beginning of the file or its dictionary is damaged.
            let reader = RecordReader::new(Cursor::new(&packed.bytes), ReadLimits::default());
            let Ok(mut reader) = reader else { continue };
            let (mut found, mut items) = (BTreeSet::new(), 0);
            let ended = loop {
                match reader.next_item(|_| true) {
                    Ok(Some(ArchiveItem::Record(record))) => {
                        let key = (record.head.id.clone(), record.block.to_vec());
                        let is_original = all.contains(&(key.0.clone(), &key.1[..]));
                        assert!(!container.is_by_record() || is_original, "{what} {:?}", record.head);
                        found.insert(record.head.id.unwrap_or_default());
                    }
                    Ok(Some(ArchiveItem::Skipped(_))) => {}
                    Ok(None) => break Ok(()),
                    Err(error) => break Err(error),
                }
                items += 1;
                assert!(items <= packed.bytes.len(), "{what}");
            };
            if let Err(error) = ended {
                assert!(matches!(error, ArchiveError::NotAnArchive) && items == 0, "{what} {error}");
                continue;
            }
            if packed.bytes.starts_with(&made.bytes[..8]) {
                let lost = intact.into_iter().filter(|number| !found.contains(&id(*number)));
                losses.extend(lost.map(|number| format!("{what}: {number}")));
            }
        }
        // Without members, a wrong length may end by chance exactly where another record does.
        let chances = if container == Container::Plain { cases() / 5_000 } else { 0 };
        assert!(losses.len() as u64 <= chances, "{losses:?}");
    }
}

/// Any bytes at all.
#[test]
fn noise_is_refused_or_skipped() {
    let mut dice = Dice(77);
    for case in 0..cases() {
        let mut bytes: Vec<u8> = (0..dice.below(2_000)).map(|_| dice.roll().to_le_bytes()[0]).collect();
        let start: &[u8] = match case % 5 {
            0 => b"",
            1 => b"\x1f\x8b\x08\0\0\0\0\0\0\x03",
            2 => b"\x28\xb5\x2f\xfd",
            3 => b"\x5d\x2a\x4d\x18\x10\0\0\0",
            _ => b"WARC/1.0\r\nContent-Length: 9\r\n\r\n",
        };
        bytes.splice(0..0, start.iter().copied());
        if let Ok(contents) = Contents::with_limits(Cursor::new(&bytes), ReadLimits::default()) {
            assert!(contents.records.len() + contents.skipped.len() <= bytes.len() + 1, "{case}");
        }
    }
    assert!(matches!(
        Contents::with_limits(Cursor::new(gzip(b"no archive")), ReadLimits::default()),
        Err(ArchiveError::NotAnArchive)
    ));
}
