//! Sitemaps on another domain than the pages they list. A robots.txt that declares one authorises it for its own host
//! only (<https://www.sitemaps.org/protocol.html>, "Sitemaps & Cross Submits").

mod queued;

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use crate::crawl_policies::{asked, asked_set, crawl, site, sitemap_of};
use crate::fetch_body::gzip;
use crate::pipeline::{Site, job};
use crate::support::fake_web::{FakeWeb, Reply};

/// A host with a home page and a page without links to it, whose robots.txt declares a sitemap.
fn shop(web: FakeWeb, host: &str, sitemap: &str) -> FakeWeb {
    let robots = format!("User-agent: *\nDisallow:\nSitemap: {sitemap}\n");
    web.page(host, "/robots.txt", Reply::text(&robots)).page(host, "/", Reply::html("home")).page(
        host,
        "/hidden*",
        Reply::html("hidden"),
    )
}

fn list(urls: &[&str]) -> Reply {
    sitemap_of(urls.iter().map(|&url| url.to_owned()))
}

fn index(urls: &[&str]) -> Reply {
    let entries: String = urls.iter().map(|url| format!("<sitemap><loc>{url}</loc></sitemap>")).collect();
    Reply::text(&format!("<sitemapindex>{entries}</sitemapindex>"))
}

/// The fetched pages to which no link leads.
fn hidden(site: &Site) -> BTreeSet<String> {
    asked(site).into_iter().filter(|page| page.contains("/hidden")).collect()
}

#[track_caller]
fn assert_hidden(site: &Site, expected: &[&str]) {
    let expected: BTreeSet<String> = expected.iter().map(|&page| page.to_owned()).collect();
    assert_eq!(hidden(site), expected, "{:?}", asked(site));
}

const VICTIM: &str = "http://victim.test/hidden";

#[test]
fn a_foreign_sitemap_is_valid_only_for_hosts_that_declare_it() {
    let web = shop(FakeWeb::new(), "shop.test", "http://bucket.storage.test/shop.xml");
    let web = shop(web, "feed.test", "http://bucket.storage.test/feed.txt");
    let web = shop(web, "zip.test", "http://bucket.storage.test/zip.xml.gz");
    let web = shop(web, "victim.test", "/none.xml");
    let zipped = "<urlset><url><loc>http://zip.test/hidden</loc></url></urlset>".as_bytes();
    let text = format!("http://feed.test/hidden\n{VICTIM}\nhttp://shop.test/hidden/by-feed\n");
    let site = site(
        web.page(
            "bucket.storage.test",
            "/shop.xml",
            list(&[
                "http://shop.test/hidden/1",
                VICTIM,
                "http://www.shop.test/hidden",
                "http://shop.test.victim.test/hidden",
                "http://shop.test:8080/hidden",
                "http://other.storage.test/hidden",
                "http://SHOP.test/hidden/2",
            ]),
        )
        .page("bucket.storage.test", "/feed.txt", Reply::text(&text))
        .page("bucket.storage.test", "/zip.xml.gz", Reply::status(200).body(gzip(zipped)))
        .page("other.storage.test", "/hidden", Reply::html("of its own domain, as ever")),
    );
    crawl(&site, &["shop.test/", "feed.test/", "zip.test/", "victim.test/"]);
    assert_hidden(
        &site,
        &[
            "shop.test/hidden/1",
            "shop.test/hidden/2",
            "feed.test/hidden",
            "zip.test/hidden",
            "other.storage.test/hidden",
        ],
    );
}

#[test]
fn indexes_and_redirects_pass_on_the_authorised_hosts() {
    let web = shop(FakeWeb::new(), "indexed.test", "http://bucket.storage.test/index.xml");
    let web = shop(web, "home.test", "/index.xml");
    let web = shop(web, "moved.test", "/old.xml");
    let web = shop(web, "deep.test", "http://bucket.storage.test/deep.xml");
    let web = shop(web, "spam.test", "/sitemap.xml");
    let web = shop(web, "victim.test", "/none.xml");
    let site = site(
        web.page(
            "bucket.storage.test",
            "/index.xml",
            index(&["/indexed.xml", "http://cdn.test/indexed.xml"]),
        )
        .page("bucket.storage.test", "/indexed.xml", list(&["http://indexed.test/hidden/1", VICTIM]))
        .page(
            "cdn.test",
            "/indexed.xml",
            list(&["http://indexed.test/hidden/2", "http://cdn.test/hidden", VICTIM]),
        )
        .page("home.test", "/index.xml", index(&["http://cdn.test/home.xml", "http://victim.test/map.xml"]))
        .page("cdn.test", "/home.xml", list(&["http://home.test/hidden", "http://cdn.test/hidden"]))
        // The sitemap is on the host of others, whose robots.txt does not declare it.
        .page("victim.test", "/map.xml", list(&[VICTIM, "http://home.test/hidden/by-victim"]))
        .page("moved.test", "/old.xml", Reply::redirect(302, "http://cdn.test/moved?v=2"))
        .page("cdn.test", "/moved?v=2", Reply::redirect(301, "//bucket.storage.test/moved.xml"))
        .page(
            "bucket.storage.test",
            "/moved.xml",
            list(&["http://moved.test/hidden", "http://bucket.storage.test/hidden", VICTIM]),
        )
        // The deepest index authorises no host.
        .page("bucket.storage.test", "/deep.xml", index(&["/deep1.xml"]))
        .page("bucket.storage.test", "/deep1.xml", index(&["/deep2.xml"]))
        .page("bucket.storage.test", "/deep2.xml", index(&["/deep3.xml"]))
        .page("bucket.storage.test", "/deep3.xml", list(&["http://deep.test/hidden"]))
        .page("spam.test", "/sitemap.xml", list(&[VICTIM, "http://spam.test/hidden"])),
    );
    let seeds = ["indexed.test/", "home.test/", "moved.test/", "deep.test/", "spam.test/", "victim.test/"];
    crawl(&site, &seeds);
    assert_hidden(
        &site,
        &[
            "indexed.test/hidden/1",
            "indexed.test/hidden/2",
            "home.test/hidden",
            "home.test/hidden/by-victim",
            "moved.test/hidden",
            "spam.test/hidden",
        ],
    );
    assert!(!asked_set(&site).contains("bucket.storage.test/deep3.xml"));
}

#[test]
fn every_host_that_declares_a_sitemap_gets_its_pages_from_it() {
    let mut web = FakeWeb::new();
    let (mut seeds, mut all, mut expected) = (Vec::new(), vec![VICTIM.to_owned()], BTreeSet::new());
    for at in 0..12 {
        let host = format!("shop{at}.test");
        // Half of them declare an index that leads to the sitemap, and some declare it late.
        let name = ["all.xml", "index.xml"][at % 2];
        web = shop(web, &host, &format!("http://bucket.storage.test/{name}"));
        let robots = Reply::text(&format!("Sitemap: http://bucket.storage.test/{name}\n"));
        web = web.page(&host, "/robots.txt", robots.after(Duration::from_millis(20 * at as u64)));
        seeds.push(format!("{host}/"));
        all.push(format!("http://{host}/hidden"));
        expected.insert(format!("{host}/hidden"));
    }
    let web = web
        .page("bucket.storage.test", "/all.xml", sitemap_of(all).after(Duration::from_millis(30)))
        .page("bucket.storage.test", "/index.xml", index(&["http://bucket.storage.test/all.xml"]));
    let site = site(web);
    crawl(&site, &seeds.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(hidden(&site), expected, "{:?}", asked(&site));
    assert_eq!(site.store.stats().unwrap().queued, 0);
}

#[test]
fn a_storage_host_can_be_excluded_like_any_other() {
    let web = || {
        let web = shop(FakeWeb::new(), "shop.test", "http://bucket.storage.test/shop.xml");
        web.page("bucket.storage.test", "/shop.xml", list(&["http://shop.test/hidden"]))
    };
    let all = ["shop.test/", "bucket.storage.test/shop.xml", "shop.test/hidden"].map(str::to_owned);
    let whole = site(web());
    crawl(&whole, &["shop.test/"]);
    assert_eq!(asked_set(&whole), all.into());

    let mut staying = site(web());
    staying.config.crawl.stay_on_seed_domains = true;
    crawl(&staying, &["shop.test/"]);
    assert_eq!(asked(&staying), ["shop.test/"]);

    let blocks = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(blocks.path(), "storage.test\n").unwrap();
    let mut blocking = site(web());
    blocking.config.crawl.block_list = blocks.path().to_owned();
    crawl(&blocking, &["shop.test/"]);
    assert_eq!(asked(&blocking), ["shop.test/"]);

    let disallow = Reply::text("User-agent: *\nDisallow: /shop\n");
    let forbidding = site(web().page("bucket.storage.test", "/robots.txt", disallow));
    crawl(&forbidding, &["shop.test/"]);
    assert_eq!(asked(&forbidding), ["shop.test/"]);
}

#[test]
fn foreign_sitemaps_count_against_the_host_that_declares_them() {
    let hosts = ["one.test", "two.test", "three.test"];
    let web = || {
        hosts.iter().fold(FakeWeb::new(), |web, host| {
            let maps = 0..6;
            let named =
                maps.clone().map(|at| format!("Sitemap: http://bucket.storage.test/{host}/{at}.xml\n"));
            let robots = Reply::text(&named.collect::<String>());
            let web = shop(web, host, "/").page(host, "/robots.txt", robots);
            maps.fold(web, |web, at| {
                let pages = (0..9).map(|page| format!("http://{host}/hidden/{at}-{page}"));
                web.page("bucket.storage.test", &format!("/{host}/{at}.xml"), sitemap_of(pages))
            })
        })
    };
    let read = |site: &Site, start: &str| asked(site).iter().filter(|page| page.starts_with(start)).count();
    let mut each = site(web());
    each.config.sitemaps.max_per_host = 4;
    each.config.crawl.max_pages_per_host = 30;
    crawl(&each, &hosts);
    for host in hosts {
        let maps = read(&each, &format!("bucket.storage.test/{host}/"));
        assert_eq!((maps, read(&each, &format!("{host}/hidden"))), (4, 30), "{host}");
    }
    // However many hosts declare them, a host does not get an endless number of sitemap requests.
    let mut all = site(web());
    all.config.sitemaps.max_named_elsewhere = 5;
    crawl(&all, &hosts);
    assert_eq!(read(&all, "bucket.storage.test/"), 5);
}

#[test]
fn a_sitemap_of_very_many_hosts_costs_no_more_than_its_parsing() {
    let mut urls: Vec<String> = (0..49_999).map(|at| format!("http://host{at}.test/hidden")).collect();
    urls.push("http://evil.test/hidden".to_owned());
    let maps: Vec<String> = (0..49_999).map(|at| format!("http://host{at}.test/map.xml")).collect();
    let maps: Vec<&str> = maps.iter().map(String::as_str).collect();
    let web = shop(FakeWeb::new(), "evil.test", "http://bucket.storage.test/evil.xml");
    let web = shop(web, "worse.test", "http://bucket.storage.test/index.xml");
    let mut site = site(
        web.page("bucket.storage.test", "/evil.xml", sitemap_of(urls))
            .page("bucket.storage.test", "/index.xml", index(&maps))
            .page("*.test", "/map.xml", list(&[VICTIM, "http://evil.test/hidden/2"])),
    );
    site.config.sitemaps.max_per_host = 7;
    let start = Instant::now();
    let figures = site.crawl(
        &job(&["http://evil.test/".to_owned(), "http://worse.test/".to_owned()]),
        &AtomicBool::new(false),
    );
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
    assert_hidden(&site, &["evil.test/hidden"]);
    let strangers = asked(&site).iter().filter(|page| page.starts_with("host")).count();
    assert!(strangers <= 6, "{strangers}");
    assert!(figures.sitemaps <= 8, "{}", figures.sitemaps);
}

/// The queue stores the authorisation: after any interruption, the next crawl knows it.
#[test]
fn an_interrupted_crawl_keeps_the_authorised_hosts() {
    let web = shop(FakeWeb::new(), "shop.test", "http://bucket.storage.test/index.xml");
    let web = web.page("bucket.storage.test", "/index.xml", index(&["http://cdn.test/shop.xml"])).page(
        "cdn.test",
        "/shop.xml",
        list(&["http://shop.test/hidden", VICTIM]),
    );
    let site = site(web);
    // The limit counts pages and not sitemaps: after each crawl of one page some work is left.
    for _ in 0..9 {
        let seeds = if asked(&site).is_empty() { vec!["http://shop.test/".to_owned()] } else { Vec::new() };
        let one = backlinkd::crawl::CrawlJob { max_pages: Some(1), ..job(&seeds) };
        site.crawl(&one, &AtomicBool::new(false));
    }
    assert_hidden(&site, &["shop.test/hidden"]);
}
