//! Hosts whose names do not resolve, or resolve slowly: the other hosts do not wait for them.

use std::net::IpAddr;

use super::Fate::NotVisited;
use super::{
    ANSWER, Index, LITTLE, assert_bounded, assert_fates, assert_went_on, crawl, place, with_good_host,
};
use crate::support::fake_web::FakeWeb;
use crate::support::name_server::{DnsReply, Zone};

/// More than are resolved at once.
const SILENT: [&str; 40] = [
    "s0.test", "s1.test", "s2.test", "s3.test", "s4.test", "s5.test", "s6.test", "s7.test", "s8.test",
    "s9.test", "t0.test", "t1.test", "t2.test", "t3.test", "t4.test", "t5.test", "t6.test", "t7.test",
    "t8.test", "t9.test", "u0.test", "u1.test", "u2.test", "u3.test", "u4.test", "u5.test", "u6.test",
    "u7.test", "u8.test", "u9.test", "v0.test", "v1.test", "v2.test", "v3.test", "v4.test", "v5.test",
    "v6.test", "v7.test", "v8.test", "v9.test",
];

#[tokio::test(flavor = "multi_thread")]
async fn unresolvable_names_delay_no_others() {
    let private: IpAddr = "10.0.0.1".parse().unwrap();
    let mut zone = Zone::default()
        .name("nothing.test", |_| DnsReply::Nothing(3, 60))
        .name("empty.test", |_| DnsReply::Nothing(0, 60))
        .name("broken.test", |_| DnsReply::Code(2))
        .name("refused.test", |_| DnsReply::Code(5))
        .name("circle.test", |_| DnsReply::AliasAlone("circle.test", 60))
        .name("private.test", move |_| DnsReply::Addresses(vec![private], 60));
    for name in SILENT {
        zone = zone.name(name, |_| DnsReply::Silence);
    }
    let server = zone.serve().await;
    let web = with_good_host(FakeWeb::new()).start().await;
    let place = place(&web).set(&format!("fetch.nameservers=[\"{}\"]", server.at));
    let known = ["nothing.test", "empty.test", "broken.test", "refused.test", "circle.test", "private.test"];
    let urls: Vec<String> = known.iter().chain(&SILENT).map(|name| format!("http://{name}/")).collect();
    let (place, ended) = crawl(place, &urls, 0).await;
    for name in known.iter().chain(&SILENT) {
        assert!(server.asked(name).0 > 0, "{name} was not asked for");
    }
    assert_fates(&Index::of(&place), urls.iter().map(|url| (url.as_str(), NotVisited)));
    assert_went_on(&web, &ended);
    assert_bounded(&ended, 10 * ANSWER, LITTLE).await;
}
