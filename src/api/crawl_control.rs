//! The crawl of this process, as the API shows and controls it. The API knows no crawl: the process that has one hands
//! over a [`CrawlControl`].

use crate::urls::CanonicalUrl;

/// Shows and controls a crawl. The calls that change something return when the change is accepted. The crawl applies it
/// within a second.
pub trait CrawlControl: Send + Sync {
    fn status(&self) -> CrawlStatus;

    /// The last failed requests, the latest first.
    fn failures(&self) -> Vec<CrawlFailure>;

    /// Pauses the crawl, or ends this pause. Returns whether that changes anything.
    fn set_paused(&self, is_paused: bool) -> bool;

    /// Adds seeds to the list of the index.
    ///
    /// # Errors
    /// [`ControlError::Failed`] when the list cannot be written or read again.
    fn add_seeds(&self, seeds: &[CanonicalUrl]) -> Result<ListEffect, ControlError>;

    /// Adds names to the block list of the index, and removes others.
    ///
    /// # Errors
    /// [`ControlError::Invalid`] for a text that names no host, before anything changes; [`ControlError::Failed`] when
    /// the list cannot be written or read again.
    fn edit_blocks(&self, add: &[String], remove: &[String]) -> Result<ListEffect, ControlError>;

    /// Queues URLs for another visit, whenever they are due. Returns those that are neither visited nor queued: nothing
    /// is queued then.
    ///
    /// # Errors
    /// [`ControlError::Failed`] when the index cannot be read.
    fn revisit(&self, urls: &[CanonicalUrl]) -> Result<Vec<CanonicalUrl>, ControlError>;

    /// Asks for a ranking now. Returns whether one is under way, which the new one follows.
    fn request_ranking(&self) -> bool;
}

/// A crawl at one moment. The counts begin with the process.
#[derive(Clone, Debug, PartialEq)]
pub struct CrawlStatus {
    /// `running`, `paused` or `idle`.
    pub state: &'static str,
    /// The Unix time at which this state began.
    pub since: u64,
    /// Why it is paused; empty otherwise.
    pub reason: String,
    pub pages_per_second: f64,
    /// Pages stored in each of the last spans of ten seconds, the latest last.
    pub rate: Vec<u64>,
    pub fetches_in_flight: u64,
    /// Of these, the slow ones.
    pub slow_fetches: u64,
    /// Fetches in flight at once, without slow ones.
    pub fetchers: usize,
    /// The stored visits with a response, by class of their status or as `304`.
    pub responses: Vec<(&'static str, u64)>,
    /// All other stored visits, by why they failed.
    pub failures: Vec<(&'static str, u64)>,
    /// Failed requests of all kinds, each attempt by itself, by kind.
    pub failed_requests: Vec<(String, u64)>,
    pub ranking: bool,
}

/// A failed request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrawlFailure {
    /// Unix time.
    pub at: u64,
    /// `page`, `sitemap`, `robots.txt` or `address`.
    pub resource: &'static str,
    pub kind: String,
    pub url: String,
    pub cause: String,
}

/// The effect of a change of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListEffect {
    /// The entries that were added or removed.
    pub changed: Vec<String>,
    /// The entries that were listed already, or not listed.
    pub unchanged: Vec<String>,
    /// Complaints about other lines of the lists.
    pub complaints: Vec<String>,
}

/// Why a change is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// The request is wrong, in a sentence that says what to change.
    #[error("{0}")]
    Invalid(String),
    /// The process cannot do it now.
    #[error("{0}")]
    Failed(String),
}
