//! Hosts whose robots.txt is expensive to evaluate.

use std::fmt::Write as _;

use super::Fate::NotVisited;
use super::{
    ANSWER, Index, LITTLE, assert_bounded, assert_fates, assert_went_on, crawl, place, with_good_host,
};
use crate::support::fake_web::{FakeWeb, Reply};

/// Every rule must be searched in the whole of each URL, for a host whose disallowed URLs cost no request.
#[tokio::test(flavor = "multi_thread")]
async fn rules_that_are_expensive_to_compare_delay_no_others() {
    let mut rules = "User-agent: *\nDisallow: /a\n".to_owned();
    (0..20_000).for_each(|at| writeln!(rules, "Disallow: /*aaaab{at}").unwrap());
    let mut maps: String = (0..25_000).map(|at| format!("Sitemap: /{at}\n")).collect();
    maps += "User-agent: *\nDisallow: /a\n";
    let web = with_good_host(FakeWeb::new())
        .host("rules.test", "127.41.0.1")
        .page("rules.test", "/robots.txt", Reply::text(&rules))
        .host("maps.test", "127.41.0.2")
        .page("maps.test", "/robots.txt", Reply::text(&maps))
        .start()
        .await;
    let path = "a".repeat(7_900);
    let page = |host: &str, at: usize| format!("http://{host}/{path}{at}");
    let urls: Vec<String> =
        (0..150).flat_map(|at| ["rules.test", "maps.test"].map(|host| page(host, at))).collect();
    let (place, ended) = crawl(place(&web), &urls, 0).await;
    assert_fates(&Index::of(&place), urls.iter().map(|url| (url.as_str(), NotVisited)));
    assert!(web.log().iter().all(|request| !request.path.contains("aaaa")));
    assert_went_on(&web, &ended);
    // The rules themselves, as received and as compared.
    assert_bounded(&ended, 10 * ANSWER, 2 * LITTLE).await;
}
