//! Responses that are too large, too slow, endless or broken, each from its own host.

use std::time::Duration;

use backlinkd::model::FailureKind::{Decode, Protocol, Timeout};

use super::Fate::{self, Cut, Failed, Read};
use super::{
    ANSWER, Index, assert_bounded, assert_fates, assert_went_on, crawl, much, place, with_good_host,
};
use crate::fetch_body::{brotli, gzip, zstd};
use crate::support::fake_web::{FakeWeb, Reply};

const MEGABYTE: usize = 1_000_000;
const HTML: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n";

/// A page of this number of bytes with a link at its start and one at its end.
fn long_page(bytes: usize) -> String {
    let filling = "<p>lorem ipsum dolor sit amet</p>\n";
    format!("<a href=/first>first</a>\n{}<a href=/last>last</a>", filling.repeat(bytes / filling.len()))
}

fn encoded(name: &str, body: Vec<u8>) -> Reply {
    Reply::html("").header("Content-Encoding", name).body(body)
}

fn raw(rest: &str) -> Reply {
    Reply::raw(format!("{HTML}{rest}"))
}

fn large() -> Vec<(&'static str, Reply, Fate)> {
    let fifty = long_page(50 * MEGABYTE);
    let bomb = long_page(200 * MEGABYTE);
    let links: String = (0..100_000).map(|at| format!("<a href=/l/{at}>link {at}</a>\n")).collect();
    let nested = format!("{}<a href=/inner>inner</a>{}", "<div>".repeat(100_000), "</div>".repeat(100_000));
    let long_urls = ["x".repeat(2_000), "x".repeat(10_000), "x".repeat(2 * MEGABYTE), "end".to_owned()];
    let long_urls: String = long_urls.iter().map(|query| format!("<a href='/u?{query}'>u</a>")).collect();
    let attribute = format!("<a title='{}' href=/after>after</a>", "y".repeat(3 * MEGABYTE));
    let attributes: String = (0..200_000).map(|at| format!(" a{at}=1")).collect();
    vec![
        ("fifty", Reply::html(&fifty), Cut(200, 1)),
        ("fifty-chunked", Reply::html(&fifty).chunked(), Cut(200, 1)),
        ("fifty-until-close", Reply::html(&fifty).until_close(), Cut(200, 1)),
        ("gzip-bomb", encoded("gzip", gzip(bomb.as_bytes())), Cut(200, 1)),
        ("brotli-bomb", encoded("br", brotli(bomb.as_bytes())), Cut(200, 1)),
        ("zstd-bomb", encoded("zstd", zstd(bomb.as_bytes())), Cut(200, 1)),
        ("twice-bomb", encoded("gzip, br", brotli(&gzip(bomb.as_bytes()))), Cut(200, 1)),
        ("links", Reply::html(&links), Read(200, 100_000)),
        ("more-links", Reply::html(&format!("{links}{links}")), Cut(200, 100_000)),
        ("nested", Reply::html(&nested), Read(200, 1)),
        ("long-urls", Reply::html(&long_urls), Read(200, 2)),
        ("attribute", Reply::html(&attribute), Read(200, 1)),
        ("attributes", Reply::html(&format!("<a href=/x>x</a><p{attributes}>")), Cut(200, 1)),
        ("nul", Reply::html("<title>n\0ul</title><a href='/y\0z'>y\0</a><a hr\0ef=/x>x</a>"), Read(200, 1)),
        ("image", Reply::html(&fifty).header("Content-Type", "image/png"), Read(200, 0)),
    ]
}

fn slow_and_endless() -> Vec<(&'static str, Reply, Fate)> {
    let tenth = Duration::from_millis(100);
    let line = "X-Line: and another\r\n";
    vec![
        ("late", Reply::html("late").after(60 * 10 * tenth), Failed(Timeout)),
        ("drip", Reply::html(&long_page(MEGABYTE)).dripping(5, tenth), Cut(200, 1)),
        ("stall", Reply::html(&long_page(MEGABYTE)).dripping(900_000, 600 * tenth), Cut(200, 1)),
        ("head-drip", Reply::endless("HTTP/1.1 200 OK\r\n", line).dripping(1, tenth), Failed(Timeout)),
        ("early-hints", Reply::endless("", "HTTP/1.1 103 Early Hints\r\n\r\n"), Failed(Timeout)),
        ("endless-head", Reply::endless("HTTP/1.1 200 OK\r\n", line), Failed(Protocol)),
        ("endless-line", Reply::endless("HTTP/1.1 200 OK\r\nX: ", "a".repeat(1_000)), Failed(Protocol)),
        ("endless-status", Reply::endless("HTTP/1.1 200 O", "K".repeat(1_000)), Failed(Protocol)),
        ("endless", Reply::endless(format!("{HTML}\r\n"), "<a href=/e>e</a>"), Cut(200, 100_000)),
        (
            "endless-chunks",
            Reply::endless(
                format!("{HTML}Transfer-Encoding: chunked\r\n\r\n"),
                format!("400\r\n{}\r\n", "x".repeat(1_024)),
            ),
            Cut(200, 0),
        ),
        (
            "endless-extension",
            Reply::endless(format!("{HTML}Transfer-Encoding: chunked\r\n\r\n4;"), "x".repeat(1_000)),
            Failed(Protocol),
        ),
        (
            "endless-trailer",
            Reply::endless(format!("{HTML}Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n"), line),
            Cut(200, 0),
        ),
    ]
}

fn broken() -> Vec<(&'static str, Reply, Fate)> {
    let link = "<a href=/x>x</a>";
    let cut_gzip = { gzip(long_page(MEGABYTE).as_bytes())[..1_000].to_vec() };
    vec![
        ("too-long", Reply::html(link).claiming(1_000), Cut(200, 1)),
        ("too-short", Reply::html(&format!("{link}{link}")).claiming(link.len()), Read(200, 1)),
        ("two-lengths", raw("Content-Length: 16\r\nContent-Length: 3\r\n\r\n<a href=/x>x</a>"), Read(200, 1)),
        ("no-length", raw("Content-Length: -1\r\n\r\n<a href=/x>x</a>"), Read(200, 1)),
        ("bad-chunk", raw("Transfer-Encoding: chunked\r\n\r\nZZ\r\nhello"), Failed(Protocol)),
        ("huge-chunk", raw("Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello"), Failed(Protocol)),
        ("no-end", raw("Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n"), Cut(200, 0)),
        ("huge-header", Reply::html(link).header("X-Big", "a".repeat(200_000)), Read(200, 1)),
        ("http09", Reply::raw("<html><a href=/x>x</a></html>"), Failed(Protocol)),
        ("silent", Reply::raw(""), Failed(Protocol)),
        ("reset", Reply::reset(), Failed(Protocol)),
        ("ssh", Reply::raw("SSH-2.0-OpenSSH_9.2\r\n"), Failed(Protocol)),
        ("not-gzip", encoded("gzip", b"\x1f\x8b\x08\0not really gzip".to_vec()), Failed(Decode)),
        ("cut-gzip", encoded("gzip", cut_gzip), Cut(200, 1)),
        ("not-brotli", encoded("br", link.as_bytes().to_vec()), Failed(Decode)),
        ("unknown", encoded("x-unknown", link.as_bytes().to_vec()), Read(200, 1)),
        ("stacked", encoded("gzip,gzip,gzip,gzip,gzip", link.as_bytes().to_vec()), Failed(Decode)),
        ("status-999", status(999), Read(999, 0)),
        ("pdf", Reply::html("%PDF-1.4 <a href=/no-link>"), Read(200, 0)),
    ]
}

fn status(status: u16) -> Reply {
    Reply::status(status).header("Content-Type", "text/html").body("<a href=/x>x</a>")
}

#[tokio::test(flavor = "multi_thread")]
async fn excessive_and_broken_pages_stay_within_their_limits() {
    let pages: Vec<(&str, Reply, Fate)> =
        [large(), slow_and_endless(), broken()].into_iter().flatten().collect();
    let mut web = with_good_host(FakeWeb::new());
    for (at, (name, reply, _)) in pages.iter().enumerate() {
        let host = format!("{name}.test");
        web = web.host(&host, &format!("127.41.0.{}", at + 1)).page(&host, "/", reply.clone());
    }
    let web = web.start().await;
    let urls: Vec<String> = pages.iter().map(|(name, ..)| format!("http://{name}.test/")).collect();
    let place = place(&web);
    let (place, ended) = crawl(place, &urls, 0).await;
    let index = Index::of(&place);
    assert_fates(&index, urls.iter().map(String::as_str).zip(pages.iter().map(|(_, _, fate)| *fate)));
    assert_went_on(&web, &ended);
    assert_bounded(&ended, 10 * ANSWER, much()).await;
    let only = |url: &str| index.links(url).first().map(|link| link.target.to_string());
    assert_eq!(only("http://fifty.test/").as_deref(), Some("http://fifty.test/first"));
    assert_eq!(only("http://nul.test/").as_deref(), Some("http://nul.test/y%EF%BF%BDz"));
    let drip = web.log().into_iter().find(|request| request.host == "drip.test" && request.path == "/");
    assert!(drip.is_some_and(|request| request.end.is_none_or(|end| end - request.start < ANSWER)));
}
