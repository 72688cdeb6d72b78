//! What is known of a host as a server: how much it was asked, and how it answered lately.

/// What visits to one scheme, host and port brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostRecord {
    /// Different pages fetched: what counts towards the host's budget.
    pub pages: u64,
    /// Visits to pages, failed ones and repetitions included.
    pub visits: u64,
    /// Visits in a row to which the host gave no answer.
    pub failures: u32,
    /// Unix time until which the host is left alone; 0: it is not.
    pub asleep_until: u64,
    /// The last visits, the latest last.
    pub last: Vec<HostVisit>,
    /// The last requests that failed, robots.txt and sitemaps included, the latest last.
    pub last_failures: Vec<HostFailure>,
}

/// One visit, as far as it tells of its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostVisit {
    /// Unix time.
    pub at: u64,
    /// HTTP status; 0 when no answer came.
    pub status: u16,
    /// [`crate::model::FailureKind`] as its number; 0 when an answer came.
    pub failure: u8,
}

/// One request that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostFailure {
    /// Unix time.
    pub at: u64,
    /// What was asked for.
    pub url: String,
    /// [`crate::model::FailureKind`] as a word, `cut`, or `status-` and the HTTP status.
    pub kind: String,
    /// What exactly went wrong, in words.
    pub cause: String,
}

impl HostRecord {
    /// Visits remembered.
    pub const REMEMBERED: usize = 8;
    /// Failures remembered.
    pub const REMEMBERED_FAILURES: usize = 10;

    /// Adds a request that failed.
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
