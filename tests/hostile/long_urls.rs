//! Short responses with tens of thousands of references to URLs of thousands of bytes.

use super::Fate::Cut;
use super::{
    ANSWER, Index, assert_bounded, assert_fates, assert_went_on, crawl, much, place, with_good_host,
};
use crate::support::fake_web::{FakeWeb, Reply};

/// Bytes of a page's links, by default.
const MOST_LINKS_BYTES: usize = 8 << 20;
/// Bytes of a sitemap and of the URLs in its entries, here.
const MOST_SITEMAP_BYTES: usize = 1_000_000;
const HOSTS: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn short_responses_with_long_urls_stay_within_their_limits() {
    let long = "x".repeat(7_900);
    let by_base = format!("<base href='http://far.test/{long}/'>{}", "<a href=1>".repeat(100_000));
    let from_long_page = "<a href=http://far.test/1>".repeat(100_000);
    let mut web = with_good_host(FakeWeb::new());
    let (mut urls, mut fates) = (Vec::new(), Vec::new());
    for at in 0..HOSTS {
        let host = format!("long{at}.test");
        web = web.host(&host, &format!("127.44.0.{}", at + 1));
        let (page, each) = if at % 2 == 0 {
            web = web.page(&host, "/", Reply::html(&by_base));
            let page = format!("http://{host}/");
            let each = format!("http://far.test/{long}/1").len() + page.len();
            (page, each)
        } else {
            web = web.page(&host, "/x*", Reply::html(&from_long_page));
            let page = format!("http://{host}/{long}");
            let each = "http://far.test/1".len() + page.len();
            (page, each)
        };
        urls.push(page);
        fates.push(Cut(200, MOST_LINKS_BYTES / each));
    }
    let entries: String = (1_000..9_000).map(|at| format!("<url><loc>{at}</loc></url>")).collect();
    let robots = format!("Sitemap: http://maps.test/{long}/sitemap\n");
    let web = web
        .host("maps.test", "127.44.1.1")
        .page("maps.test", "/robots.txt", Reply::text(&robots))
        .page("maps.test", &format!("/{long}/sitemap"), Reply::text(&format!("<urlset>{entries}</urlset>")))
        .page("maps.test", "/*", Reply::html("listed"))
        .start()
        .await;
    urls.push("http://maps.test/".to_owned());
    let place = place(&web).set(&format!("sitemaps.max_bytes={MOST_SITEMAP_BYTES}"));
    let (place, ended) = crawl(place, &urls, 0).await;
    assert_fates(&Index::of(&place), urls.iter().map(String::as_str).zip(fates));
    let listed = format!("/{long}/");
    let is_listed = |path: &str| path.starts_with(&listed) && !path.ends_with("sitemap");
    let asked = web.log().iter().filter(|request| is_listed(&request.path)).count();
    assert_eq!(asked, MOST_SITEMAP_BYTES / format!("http://maps.test/{long}/1000").len());
    assert_went_on(&web, &ended);
    assert_bounded(&ended, 10 * ANSWER, much()).await;
}
