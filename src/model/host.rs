//! The state of a host as a server: its visits and its recent responses.

/// The visits to one scheme, host and port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostRecord {
    /// Number of distinct pages fetched, which counts towards the budget of the host.
    pub pages: u64,
    /// Visits to pages, including failures and repeated visits.
    pub visits: u64,
    /// Consecutive visits that failed: [`HostVisit::failure`] is not 0.
    pub failures: u32,
    /// End of the backoff in Unix time; 0: none.
    pub backoff_until: u64,
    /// The last visits, the latest last.
    pub last: Vec<HostVisit>,
    /// The last failed requests, including robots.txt and sitemaps, the latest last.
    pub last_failures: Vec<HostFailure>,
}

/// One visit, as far as it concerns the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostVisit {
    /// Unix time.
    pub visited_at: u64,
    /// HTTP status; 0 without a response.
    pub status: u16,
    /// Code of the [`crate::model::FailureKind`]; 0 when the visit did not fail.
    pub failure: u8,
}

/// A failed request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostFailure {
    /// Unix time.
    pub at: u64,
    /// The requested URL.
    pub url: String,
    /// [`crate::model::FailureKind`] as a word, `cut`, or `status-` and the HTTP status.
    pub kind: String,
    /// The cause, in words.
    pub cause: String,
}

impl HostRecord {
    /// Number of visits kept.
    pub const REMEMBERED: usize = 8;
    /// Number of failures kept.
    pub const REMEMBERED_FAILURES: usize = 10;

    /// Adds a failed request.
    pub fn add_failure(&mut self, failure: HostFailure) {
        if self.last_failures.len() >= Self::REMEMBERED_FAILURES {
            self.last_failures.remove(0);
        }
        self.last_failures.push(failure);
    }

    /// Adds a visit.
    pub fn add(&mut self, visit: HostVisit) {
        self.visits += 1;
        self.failures = if visit.failure == 0 { 0 } else { self.failures.saturating_add(1) };
        if self.last.len() >= Self::REMEMBERED {
            self.last.remove(0);
        }
        self.last.push(visit);
    }
}
