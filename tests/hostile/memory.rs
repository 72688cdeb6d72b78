//! Many large responses at once: their total memory is bounded, from the network on.

use super::{ANSWER, Fate, Index, assert_bounded, assert_fates, crawl, place, with_good_host};
use crate::support::fake_web::{FakeWeb, Reply};

const PAGES: usize = 60;
const SITEMAPS: usize = 30;
/// Bytes of one sitemap that are read.
const SITEMAP: usize = 20 << 20;
/// Bytes of all responses, including those that continue beyond the budget, and of the threads. The bodies alone are
/// 840 MB.
const MEMORY: usize = 64 << 20;
const ABOVE: u64 = 200 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn large_simultaneous_responses_share_the_memory_budget() {
    let mut web = with_good_host(FakeWeb::new());
    let mut urls = Vec::new();
    let text = "<p>lorem ipsum dolor sit amet, consectetur adipisici elit</p>\n".repeat(1_000);
    for number in 0..PAGES {
        let host = format!("page{number}.test");
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<a href=/first>first</a>";
        web = web.host(&host, &format!("127.42.{number}.1")).page(&host, "/", Reply::endless(head, &text));
        urls.push(format!("http://{host}/"));
    }
    let comment = format!("<!-- {} -->\n", "x".repeat(60_000));
    for number in 0..SITEMAPS {
        let host = format!("map{number}.test");
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n\
            <urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'><url><loc>/listed</loc></url>\n";
        web = web
            .host(&host, &format!("127.43.{number}.1"))
            .page(&host, "/robots.txt", Reply::text("Sitemap: /sitemap.xml\n"))
            .page(&host, "/sitemap.xml", Reply::endless(head, &comment))
            .page(&host, "/listed", Reply::html("listed"));
        urls.push(format!("http://{host}/"));
    }
    let web = web.start().await;
    // No response is too slow, however busy the machine is.
    let place = place(&web)
        .set(&format!("crawl.memory_bytes={MEMORY}"))
        .set(&format!("sitemaps.max_bytes={SITEMAP}"))
        .set("fetch.first_byte_timeout=60s")
        .set("fetch.timeout=60s")
        .set("fetch.slow_body_grace=60s");
    let (place, ended) = crawl(place, &urls, 1).await;
    let index = Index::of(&place);
    // All responses were read, and none waited for ever.
    let pages = urls[..PAGES].iter().map(|url| (url.as_str(), Fate::Cut(200, 1)));
    assert_fates(&index, pages);
    for number in 0..SITEMAPS {
        assert_eq!(index.fate(&format!("http://map{number}.test/listed")), Fate::Read(200, 0), "{number}");
    }
    assert_bounded(&ended, 40 * ANSWER, ABOVE).await;
}
