//! Fetches as in a crawl, for tests: robots.txt first, then the page.

use std::sync::Arc;

use backlinkd::config::{FetchConfig, RobotsConfig};
use backlinkd::fetch::{
    FetchOutcome, FetchPermit, Fetcher, Response, RobotsAnswer, RobotsCache, RobotsOutcome, RobotsStore,
    Validators,
};
use backlinkd::model::FailureKind;
use backlinkd::urls::{CanonicalUrl, UrlRules};

pub fn url(text: &str) -> CanonicalUrl {
    UrlRules::default().canonical(text).unwrap()
}

/// Fetches from any address of the host.
pub async fn fetch(fetcher: &Fetcher, permit: FetchPermit, validators: Option<&Validators>) -> FetchOutcome {
    match fetcher.addresses().resolve(permit.url()).await {
        Ok(at) => fetcher.fetch(permit, at, validators, None).await.unwrap(),
        Err(failure) => FetchOutcome::Failed(failure.kind, failure.detail),
    }
}

/// A fetcher with its robots.txt cache, which fetches as a crawl does, but at once.
pub struct Visitor {
    pub fetcher: Arc<Fetcher>,
    pub robots: RobotsCache,
}

impl Visitor {
    pub fn new(config: &FetchConfig) -> Self {
        Self::with_robots(config, &RobotsConfig::default())
    }

    pub fn with_robots(config: &FetchConfig, robots: &RobotsConfig) -> Self {
        Self::with_shelf(config, robots, None)
    }

    pub fn with_shelf(
        config: &FetchConfig,
        robots: &RobotsConfig,
        shelf: Option<Arc<dyn RobotsStore>>,
    ) -> Self {
        let fetcher = Arc::new(Fetcher::new(config).unwrap());
        let robots = RobotsCache::new(fetcher.clone(), robots, UrlRules::default(), shelf);
        Self { fetcher, robots }
    }

    /// The verdict of the robots.txt, which is fetched if necessary; and the requested URLs.
    pub async fn ask(&self, text: &str) -> (RobotsAnswer, Vec<String>) {
        let mut asked = Vec::new();
        let mut answer = self.robots.check(&url(text));
        while let RobotsAnswer::NeedsFetch(mut job) = answer {
            loop {
                asked.push(job.url().to_string());
                match self.robots.fetch(job).await {
                    RobotsOutcome::Known | RobotsOutcome::Failed(_) => break,
                    RobotsOutcome::Moved(next) => job = next,
                    RobotsOutcome::NotRequested(job, failure) => {
                        panic!("{} was not asked: {failure}", job.url())
                    }
                }
            }
            answer = self.robots.check(&url(text));
        }
        (answer, asked)
    }

    pub async fn fetch_if(&self, text: &str, validators: Option<&Validators>) -> FetchOutcome {
        match self.ask(text).await.0 {
            RobotsAnswer::Allowed(permit) => fetch(&self.fetcher, permit, validators).await,
            other => panic!("{text} should be allowed, but is {other:?}"),
        }
    }

    pub async fn fetch(&self, text: &str) -> FetchOutcome {
        self.fetch_if(text, None).await
    }

    pub async fn answer(&self, text: &str) -> Response {
        match self.fetch(text).await {
            FetchOutcome::Responded(answer) => *answer,
            FetchOutcome::Failed(kind, detail) => panic!("{text} failed: {kind:?}, {detail}"),
        }
    }

    pub async fn failure(&self, text: &str) -> FailureKind {
        match self.fetch(text).await {
            FetchOutcome::Responded(answer) => panic!("{text} should fail, but is {}", answer.status),
            FetchOutcome::Failed(kind, _) => kind,
        }
    }
}
