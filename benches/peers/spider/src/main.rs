//! The `spider` crate with backlinkd's task: all pages of the given hosts, and of each page every link with tag,
//! target, anchor text and rel. The links are counted and discarded.
//!
//!     spider-peer lol-html|scraper USER_AGENT URL…
//!
//! One `Website` per URL, all at once, robots.txt obeyed, pages from `subscribe` as in the crate's documentation. The
//! last line of the output is JSON: `{"pages": 1, "links": 1, "bytes": 1, "missed": 0}`.

mod links;

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use spider::website::Website;
use tokio::sync::broadcast::error::RecvError;

use links::{Extractor, Link};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Pages that may wait to be read, per host: more than any host has, so that none is missed.
const WAITING: usize = 16_384;

#[derive(Default)]
struct Counts {
    pages: AtomicU64,
    links: AtomicU64,
    bytes: AtomicU64,
    missed: AtomicU64,
}

static COUNTS: Counts =
    Counts { pages: AtomicU64::new(0), links: AtomicU64::new(0), bytes: AtomicU64::new(0), missed: AtomicU64::new(0) };

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let extractor = arguments.next().and_then(|name| Extractor::named(&name));
    let (Some(extractor), Some(user_agent)) = (extractor, arguments.next()) else {
        eprintln!("usage: spider-peer lol-html|scraper USER_AGENT URL…");
        return ExitCode::from(2);
    };
    let sites = arguments.map(|url| tokio::spawn(crawl(url, user_agent.clone(), extractor)));
    for site in sites.collect::<Vec<_>>() {
        if let Err(error) = site.await {
            eprintln!("a site's crawl ended before its time: {error}");
        }
    }
    let Counts { pages, links, bytes, missed } = &COUNTS;
    println!("{{\"pages\": {pages:?}, \"links\": {links:?}, \"bytes\": {bytes:?}, \"missed\": {missed:?}}}");
    ExitCode::SUCCESS
}

async fn crawl(url: String, user_agent: String, extractor: Extractor) {
    let mut website = Website::new(&url);
    website.with_respect_robots_txt(true).with_user_agent(Some(&user_agent)).with_delay(0).with_retry(0);
    let mut pages = website.subscribe(WAITING);
    let reader = tokio::spawn(async move {
        loop {
            match pages.recv().await {
                Ok(page) if page.status_code.is_success() => {
                    if let Some(html) = page.get_bytes() {
                        count(html, &extractor.links(page.get_url_final(), html));
                    }
                }
                Ok(_) => {}
                Err(RecvError::Lagged(missed)) => {
                    COUNTS.missed.fetch_add(missed, Relaxed);
                }
                Err(RecvError::Closed) => return,
            }
        }
    });
    website.crawl().await;
    website.unsubscribe();
    let _ = reader.await;
}

fn count(html: &[u8], links: &[Link]) {
    COUNTS.pages.fetch_add(1, Relaxed);
    COUNTS.bytes.fetch_add(html.len() as u64, Relaxed);
    COUNTS.links.fetch_add(links.len() as u64, Relaxed);
    // Used, so that the optimiser removes none of the work.
    std::hint::black_box(links.iter().map(Link::weight).sum::<usize>());
}
