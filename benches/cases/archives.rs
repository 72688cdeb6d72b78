//! Archives to records on one core: WARC compressed by record, its HTTP messages, and WAT. Goal: more than 5,000 pages of
//! WAT a second.

use std::hint::black_box;
use std::io::{Cursor, Write};
use std::net::IpAddr;
use std::path::Path;

use backlinkd::fetch::{ArchivedMessage, Response};
use backlinkd::warc::wat::{WatPage, mend_surrogates};
use backlinkd::warc::{ArchiveItem, ArchiveRecord, ReadLimits, RecordKind, RecordReader};
use criterion::{Criterion, Throughput, criterion_group};
use flate2::Compression;
use flate2::write::GzEncoder;

/// Pages of the generated WAT file, and links of each.
const WAT_PAGES: usize = 1_000;
const WAT_LINKS: usize = 120;

/// A real archive: an hour of wget, 514 records.
const SAMPLE: &str = "../shared/data/warc/mockweb/wget-mockweb.warc.gz";

fn bench_archives(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("archives");
    group.sample_size(20);
    let sample = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(SAMPLE)).unwrap_or_default();
    if sample.is_empty() {
        eprintln!("SKIPPED: archives/WARC: {SAMPLE} is absent");
    } else {
        let mut records = Vec::new();
        each_record(&sample, |record| records.push(record));
        let bytes: usize = records.iter().map(|record| record.block.len()).sum();
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_function("WARC to records, bytes of blocks", |bencher| {
            bencher.iter(|| count_records(&sample));
        });
        group.throughput(Throughput::Elements(records.len() as u64));
        group.bench_function("WARC to records, records", |bencher| {
            bencher.iter(|| count_records(&sample));
        });
        let responses: Vec<ArchiveRecord> =
            records.into_iter().filter(|record| record.head.kind == RecordKind::Response).collect();
        group.throughput(Throughput::Elements(responses.len() as u64));
        group.bench_function("records to responses", |bencher| {
            bencher.iter(|| responses.iter().filter(|record| black_box(response(record))).count());
        });
    }
    let wat = wat_file();
    group.throughput(Throughput::Elements(WAT_PAGES as u64));
    group.bench_function("WAT to links, pages", |bencher| {
        bencher.iter(|| {
            let mut links = 0;
            each_record(&wat, |record| links += count_links(&record));
            assert_eq!(links, WAT_PAGES * WAT_LINKS);
        });
    });
    let mut pages = Vec::new();
    each_record(&wat, |record| pages.push(record));
    group.bench_function("WAT to links, parsing alone, pages", |bencher| {
        bencher.iter(|| pages.iter().map(count_links).sum::<usize>());
    });
    group.finish();
}

fn each_record(bytes: &[u8], mut visit: impl FnMut(ArchiveRecord)) {
    let mut reader = RecordReader::new(Cursor::new(bytes), ReadLimits::default()).unwrap();
    while let Some(item) = reader.next_item(|_| true).unwrap() {
        if let ArchiveItem::Record(record) = item {
            visit(*record);
        }
    }
}

fn count_records(bytes: &[u8]) -> usize {
    let mut records = 0;
    each_record(bytes, |record| records += usize::from(black_box(record).head.length > 0));
    records
}

/// Whether a record holds a response.
fn response(record: &ArchiveRecord) -> bool {
    let message = ArchivedMessage {
        bytes: record.block.clone(),
        ip: record.head.ip.unwrap_or(IpAddr::from([0; 4])),
        cut: record.cut,
        is_truncated: false,
        is_as_received: false,
    };
    Response::from_archive(message, 100).is_ok()
}

fn count_links(record: &ArchiveRecord) -> usize {
    let block = mend_surrogates(record.block.clone());
    let page = WatPage::parse(&block).ok().flatten();
    page.and_then(|page| page.html).map_or(0, |html| black_box(html).links.len())
}

/// A generated WAT file, of about 17 kB a page.
fn wat_file() -> Vec<u8> {
    let mut file = Vec::new();
    for page in 0..WAT_PAGES {
        let links: Vec<String> = (0..WAT_LINKS)
            .map(|link| {
                let site = page * 31 + link * 17;
                format!(
                    "{{\"path\":\"A@/href\",\"url\":\"https://www.site{site}.example/section/{link}/page-{page}.html\",\
                     \"text\":\"Link number {link} of page {page}\",\"rel\":\"nofollow\"}}"
                )
            })
            .collect();
        let block = format!(
            "{{\"Container\":{{\"Filename\":\"a.warc.gz\",\"Compressed\":true,\"Offset\":\"{page}\"}},\"Envelope\":{{\
             \"Payload-Metadata\":{{\"Actual-Content-Type\":\"application/http; msgtype=response\",\
             \"HTTP-Response-Metadata\":{{\"Response-Message\":{{\"Status\":\"200\",\"Version\":\"HTTP/1.1\"}},\
             \"Headers\":{{\"Content-Type\":\"text/html; charset=UTF-8\",\"Server\":\"nginx\",\"Date\":\"x\"}},\
             \"HTML-Metadata\":{{\"Head\":{{\"Title\":\"Page {page}\",\"Metas\":[{{\"name\":\"robots\",\"content\":\"index\"}}]}},\
             \"Links\":[{}]}}}}}},\"Format\":\"WARC/1.0\",\"WARC-Header-Metadata\":{{\"WARC-Type\":\"response\",\
             \"WARC-Date\":\"2024-05-18T01:58:10Z\",\"WARC-IP-Address\":\"192.0.2.7\",\
             \"WARC-Target-URI\":\"https://www.site{page}.example/\"}}}}}}",
            links.join(",")
        );
        let head = format!(
            "WARC/1.0\r\nWARC-Type: metadata\r\nWARC-Target-URI: https://www.site{page}.example/\r\n\
             WARC-Date: 2024-05-31T01:17:49Z\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            block.len()
        );
        let mut member = GzEncoder::new(&mut file, Compression::default());
        member.write_all(&[head.as_bytes(), block.as_bytes(), b"\r\n\r\n"].concat()).unwrap();
        member.finish().unwrap();
    }
    file
}

criterion_group!(benches, bench_archives);
