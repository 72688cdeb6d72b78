//! Certificates of servers: chains without an issuer, and recorded flaws.

mod flaws;
mod issuers;

use backlinkd::config::FetchConfig;
use backlinkd::fetch::{FetchOutcome, Fetcher, Response, RobotsAnswer};
use backlinkd::model::FailureKind;

use crate::support::certificates::Authority;
use crate::support::fake_web::{FakeWeb, Reply};
use crate::support::visitor::{Visitor, fetch};

/// A web whose hosts present certificates by a root that a fetcher trusts, or others.
struct Trial {
    web: FakeWeb,
    /// Contains the permits for all hosts, obtained while they presented the certificates of FakeWeb.
    permits: Visitor,
    root: Authority,
}

impl Trial {
    /// Adds these hosts, each with pages that close their connection.
    async fn new(root: Authority, web: FakeWeb, hosts: &[&str]) -> Self {
        let add = |web: FakeWeb, host: &&str| {
            let page = Reply::html(host).until_close();
            web.page(host, "/robots.txt", Reply::status(404)).page(host, "/*", page)
        };
        let web = hosts.iter().fold(web.with_tls(), add).start().await;
        let permits = Visitor::new(&web.fetch_config());
        for host in hosts {
            permits.ask(&format!("https://{host}/")).await;
        }
        Self { web, permits, root }
    }

    /// A fetcher that trusts the root, and no other of this web's authorities.
    fn fetcher(&self, change: impl FnOnce(&mut FetchConfig)) -> Fetcher {
        let file = self.web.overrides().with_file_name("root.pem");
        std::fs::write(&file, self.root.pem()).unwrap();
        let mut config = FetchConfig { extra_ca: file, ..self.web.fetch_config() };
        change(&mut config);
        Fetcher::new(&config).unwrap()
    }

    async fn fetch(&self, fetcher: &Fetcher, host: &str) -> FetchOutcome {
        let (answer, asked) = self.permits.ask(&format!("https://{host}/")).await;
        let RobotsAnswer::Allowed(permit) = answer else { panic!("{host}: {answer:?}") };
        assert!(asked.is_empty(), "{host} presented something of its own too early");
        fetch(fetcher, permit, None).await
    }

    async fn answer(&self, fetcher: &Fetcher, host: &str) -> Response {
        match self.fetch(fetcher, host).await {
            FetchOutcome::Responded(answer) => {
                assert_eq!(answer.body, host);
                *answer
            }
            FetchOutcome::Failed(kind, detail) => panic!("{host} failed: {kind:?}, {detail}"),
        }
    }

    /// The message about a refused certificate.
    async fn refused(&self, fetcher: &Fetcher, host: &str) -> String {
        match self.fetch(fetcher, host).await {
            FetchOutcome::Failed(FailureKind::Tls, detail) => detail,
            other => panic!("{host}: {other:?}"),
        }
    }

    /// The number of requests to a host.
    fn asked(&self, host: &str) -> usize {
        self.web.log().iter().filter(|request| request.host == host).count()
    }
}
