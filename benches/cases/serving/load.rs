//! Loads the links of a CSV file into a data directory, with the store's only write function.
//!
//! The file has one row per link, and the links of a page are consecutive ([`COLUMNS`]). The store computes positions,
//! link counts and days from visits, so the load generates visits that reproduce the file. The first visit is on the
//! earliest day that one of the page's links was seen. It has each link at its position and internal links to the
//! host's home page in the gaps, `ext_l + int_l` in all. The second visit is on the latest day. It has another internal
//! link in place of each lost one, or is a 304 if none was lost. Search ranks are those of the file; hosts and domains
//! get the highest rank of their pages.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufReader, Read, Seek, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Instant;

use backlinkd::config::StoreConfig;
use backlinkd::model::{
    Day, Link, LinkTag, PageContent, PageFacts, Place, Rel, SearchRank, Visit, VisitRecord,
};
use backlinkd::store::{Commit, FORMAT, Store};
use backlinkd::urls::{CanonicalUrl, Suffixes, UrlRules};
use csv::{Reader, StringRecord};

/// The columns of the file, in this order.
const COLUMNS: [&str; 20] = [
    "src_url",
    "src_domain",
    "src_tld",
    "tgt_url",
    "tgt_host",
    "tgt_domain",
    "tag",
    "nofollow",
    "pos",
    "ext_l",
    "int_l",
    "anchor",
    "title",
    "ip",
    "ccode",
    "city",
    "sr",
    "ins_date",
    "upd_date",
    "active",
];

/// Pages passed from the reading thread to the storing one at once.
const BATCH: usize = 64;
const NOON: u64 = 43_200;
const SECONDS_A_DAY: u64 = 86_400;

/// Loads the file `links.csv` into the data directory `data` next to it, unless a complete one of the current format
/// exists. If several processes call it at once, one loads and the others wait.
pub fn ensure(directory: &Path) {
    let data = directory.join("data");
    let report = directory.join("loaded.txt");
    let mut report =
        File::options().read(true).write(true).create(true).truncate(false).open(report).unwrap();
    report.lock().unwrap();
    let format = format!("format {FORMAT}\n");
    let mut known = String::new();
    report.read_to_string(&mut known).unwrap();
    if known.starts_with(&format) {
        return;
    }
    report.set_len(0).unwrap();
    report.rewind().unwrap();
    if data.exists() {
        eprintln!("{} is incomplete or of another format: loading it again", data.display());
        fs::remove_dir_all(&data).unwrap();
    }
    let figures = load(&directory.join("links.csv"), &data);
    eprint!("{figures}");
    report.write_all((format + &figures).as_bytes()).unwrap();
}

/// Loads the file; returns the cost as lines of text.
fn load(csv: &Path, data: &Path) -> String {
    let start = Instant::now();
    let suffixes = Arc::new(Suffixes::built_in().unwrap());
    let store = Store::open(data, &StoreConfig::default(), Arc::clone(&suffixes)).unwrap();
    let (sender, receiver) = sync_channel(8);
    let reader = open(csv);
    let reading = std::thread::spawn(move || read(reader, &sender));
    let ranks = put(&store, &receiver);
    reading.join().unwrap();
    let put = start.elapsed().as_secs_f64();
    publish(&store, ranks, &suffixes);
    store.compact().unwrap();
    let all = start.elapsed().as_secs_f64();
    let stats = store.stats().unwrap();
    let links = stats.links + stats.lost_links;
    let external = stats.backlinks + stats.lost_links;
    let bytes = stats.disk_bytes as f64;
    format!(
        "{external} external links ({} lost) of {links} on {} pages\n\
         stored in {put:.0} s, with ranks and compaction {all:.0} s: {:.0} external links/s, {:.0} links/s\n\
         {bytes:.0} bytes: {:.1} an external link, {:.1} a link\n",
        stats.lost_links,
        stats.visited,
        external as f64 / all,
        links as f64 / all,
        bytes / external as f64,
        bytes / links as f64,
    )
}

fn open(csv: &Path) -> Reader<BufReader<File>> {
    let file = File::open(csv).unwrap_or_else(|error| panic!("{}: {error}", csv.display()));
    let mut reader = Reader::from_reader(BufReader::with_capacity(1 << 20, file));
    assert_eq!(*reader.headers().unwrap(), COLUMNS[..], "{} has other columns", csv.display());
    reader
}

/// Reads the file, and passes on its pages.
fn read(mut reader: Reader<BufReader<File>>, sender: &SyncSender<Vec<Page>>) {
    let rules = UrlRules::default();
    let mut row = StringRecord::new();
    let mut pages: Vec<Page> = Vec::with_capacity(BATCH);
    while reader.read_record(&mut row).unwrap() {
        let continues = pages.last().is_some_and(|page| page.name == row[0]);
        if !continues && pages.len() == BATCH {
            sender.send(std::mem::replace(&mut pages, Vec::with_capacity(BATCH))).unwrap();
        }
        if !continues {
            pages.push(Page::new(&row, &rules));
        }
        pages.last_mut().unwrap().add(&row, &rules);
    }
    sender.send(pages).unwrap();
}

/// Stores both visits of all pages; returns the ranks of the pages.
fn put(store: &Store, receiver: &Receiver<Vec<Page>>) -> Vec<(CanonicalUrl, SearchRank)> {
    let mut ranks = Vec::new();
    for pages in receiver {
        ranks.extend(pages.iter().map(|page| (page.url.clone(), page.rank)));
        let (first, second): (Vec<_>, Vec<_>) = pages.into_iter().map(Page::visits).unzip();
        for records in [first, second] {
            store.commit(Commit { records, ..Commit::default() }).unwrap();
        }
    }
    ranks
}

fn publish(store: &Store, pages: Vec<(CanonicalUrl, SearchRank)>, suffixes: &Suffixes) {
    let mut hosts: HashMap<String, SearchRank> = HashMap::new();
    let mut domains: HashMap<String, SearchRank> = HashMap::new();
    for (url, rank) in &pages {
        raise(&mut hosts, url.host(), *rank);
        raise(&mut domains, suffixes.domain_of(url.host()), *rank);
    }
    store.publish_ranks(&mut pages.into_iter(), &mut hosts.into_iter(), &mut domains.into_iter()).unwrap();
}

/// Keeps the highest rank of a name.
fn raise(ranks: &mut HashMap<String, SearchRank>, name: &str, rank: SearchRank) {
    match ranks.get_mut(name) {
        Some(known) => *known = rank.max(*known),
        None => drop(ranks.insert(name.to_owned(), rank)),
    }
}

/// A source page, as the rows of the file describe it.
struct Page {
    /// The page's URL as the file writes it.
    name: String,
    url: CanonicalUrl,
    title: String,
    ip: std::net::IpAddr,
    place: Place,
    rank: SearchRank,
    first: Day,
    last: Day,
    links: Vec<Placed>,
    /// The number of external and internal links together.
    length: usize,
}

/// A link, its position on the page, and whether it is active.
struct Placed {
    link: Link,
    pos: usize,
    active: bool,
}

impl Page {
    /// A page without links, from its first row.
    fn new(row: &StringRecord, rules: &UrlRules) -> Self {
        let number = |column: usize| row[column].parse::<usize>().unwrap();
        let (ccode, city) = (row[14].to_owned(), row[15].to_owned());
        Self {
            name: row[0].to_owned(),
            url: rules.canonical(&row[0]).unwrap(),
            title: row[12].to_owned(),
            ip: row[13].parse().unwrap(),
            // The file has no names of countries.
            place: Place { country: ccode.clone(), ccode, city },
            rank: SearchRank((row[16].parse::<f64>().unwrap() * 100.0).round() as u16),
            first: Day(u32::MAX),
            last: Day(0),
            links: Vec::new(),
            length: number(9) + number(10),
        }
    }

    fn add(&mut self, row: &StringRecord, rules: &UrlRules) {
        let day = |column: usize| Day::parse(&row[column].replace('-', "")).unwrap();
        self.first = self.first.min(day(17));
        self.last = self.last.max(day(18));
        let tag = LinkTag::ALL.into_iter().find(|tag| tag.as_str() == &row[6]).unwrap();
        let rel = if flag(&row[7]) { Rel::NOFOLLOW } else { Rel::NONE };
        let link = Link { target: rules.canonical(&row[3]).unwrap(), tag, rel, anchor: row[11].to_owned() };
        self.links.push(Placed { link, pos: row[8].parse().unwrap(), active: flag(&row[19]) });
    }

    /// The content of the page at the first and at the last visit.
    fn visits(self) -> (VisitRecord, VisitRecord) {
        let lost_any = self.links.iter().any(|placed| !placed.active);
        let home = format!("{}://{}/", self.url.scheme(), self.url.authority());
        let home = UrlRules::default().canonical(&home).unwrap();
        let gap = || Link { target: home.clone(), tag: LinkTag::A, rel: Rel::NONE, anchor: String::new() };
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for placed in slots(self.links, self.length) {
            let kept = placed.as_ref().is_some_and(|placed| placed.active);
            let link = placed.map_or_else(gap, |placed| placed.link);
            if lost_any {
                after.push(if kept { link.clone() } else { gap() });
            }
            before.push(link);
        }
        let content = PageContent {
            facts: PageFacts {
                status: 200,
                content_type: "text/html".to_owned(),
                charset: "utf-8".to_owned(),
                title: self.title,
                ip: Some(self.ip),
                place: self.place,
                html: true,
                ..PageFacts::default()
            },
            links: before,
            ..PageContent::default()
        };
        let second = if lost_any {
            Visit::Responded(Box::new(PageContent { links: after, ..content.clone() }))
        } else {
            Visit::NotModified
        };
        let record = |day: Day, visit| {
            let visited = u64::from(day.0) * SECONDS_A_DAY + NOON;
            VisitRecord { url: self.url.clone(), visited, visit }
        };
        (record(self.first, Visit::Responded(Box::new(content))), record(self.last, second))
    }
}

/// The links by position, `length` or more of them; a link whose position is taken moves to the next free one.
fn slots(links: Vec<Placed>, length: usize) -> Vec<Option<Placed>> {
    let mut slots: Vec<Option<Placed>> = std::iter::repeat_with(|| None).take(length).collect();
    for placed in links {
        let wanted = placed.pos - 1;
        let free = (wanted..slots.len()).find(|&at| slots[at].is_none()).unwrap_or(slots.len().max(wanted));
        if free >= slots.len() {
            slots.resize_with(free + 1, || None);
        }
        slots[free] = Some(placed);
    }
    slots
}

fn flag(text: &str) -> bool {
    match text {
        "true" => true,
        "false" => false,
        _ => panic!("\"{text}\" is neither true nor false"),
    }
}
