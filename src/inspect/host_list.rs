//! The list of all hosts that the crawl knows, in any order.
//!
//! A host is a name with its port; `http` and `https` on it are two servers with queues of their own. The figures of
//! both are added, and the longer delay counts. The host has the liveliest state of its servers.

use std::cmp::Ordering;

use serde::Serialize;

use super::{InspectError, Inspector};
use crate::clock::format_unix_time;
use crate::model::{HostFailure, HostRecord, Lane, QueueName};
use crate::policy::{BlockList, BudgetStatus, Reason};
use crate::store::QueuedServer;
use crate::urls::CanonicalUrl;

/// A column of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostColumn {
    Host,
    Queued,
    Fetched,
    Budget,
    Delay,
    LastFetch,
    State,
}

/// A column to order by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostOrder {
    pub column: HostColumn,
    pub descending: bool,
}

/// Which hosts are shown, and in which order. Equal ones are in the order of their names.
#[derive(Clone, Copy, Debug)]
pub struct HostListRequest<'a> {
    /// A part of the name of each host, in lower case.
    pub part: &'a str,
    pub order: &'a [HostOrder],
    pub offset: usize,
    pub limit: usize,
}

/// One host.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HostRow {
    pub host: String,
    /// URLs in its queues.
    pub queued: u64,
    /// Different pages that were fetched, which count towards its budget.
    pub fetched: u64,
    /// New pages that it may have at most.
    pub budget: u64,
    /// Seconds from the end of one fetch to the start of the next.
    pub delay: f64,
    /// The time of the last visit; `null` before the first.
    pub last_fetch: Option<String>,
    /// `waiting` for its turn, `asleep` in backoff, `spent` (its budget is used), `blocked` by a list, or `idle`.
    pub state: &'static str,
    /// Why it is asleep, blocked or spent; empty otherwise.
    pub reason: String,
}

/// A part of the list.
#[derive(Clone, Debug, PartialEq)]
pub struct HostList {
    pub rows: Vec<HostRow>,
    /// The number of all hosts with such a name.
    pub count: u64,
    /// The number of the last commit before the state was read, and the Unix time at which it was read.
    pub change: u64,
    pub read_at: u64,
}

/// A host, as far as the scan shows it.
struct ListedHost {
    name: String,
    queued: u64,
    fetched: u64,
    last_fetch: u64,
    servers: Vec<ListedServer>,
    /// `None` until they are needed.
    details: Option<HostDetails>,
}

/// One of the servers of a host.
struct ListedServer {
    home: CanonicalUrl,
    record: HostRecord,
    queued: u64,
}

/// What further rows of the store say about a host.
#[derive(Clone, Debug, PartialEq)]
struct HostDetails {
    budget: u64,
    delay: f64,
    /// Its place in [`STATES`].
    state: usize,
    reason: String,
}

/// The states, the liveliest first.
const STATES: [&str; 5] = ["blocked", "waiting", "asleep", "spent", "idle"];

impl Inspector<'_> {
    /// Lists hosts.
    ///
    /// # Errors
    /// [`InspectError`] when the store fails or a block list cannot be used.
    pub fn hosts(&self, request: &HostListRequest<'_>) -> Result<HostList, InspectError> {
        let blocks = self.block_list()?;
        let snapshot = self.store.snapshot();
        let (inspector, blocks, change) = (self, &blocks, snapshot.last_change()?);
        let mut hosts = HostSelection { inspector, blocks, request, change, count: 0, kept: Vec::new() };
        let mut current: Option<(Vec<u8>, ListedHost)> = None;
        snapshot.for_each_queued_server(self.proceed, |server| {
            let key = host_key(&server.queue);
            match &mut current {
                Some((known, host)) if *known == key => host.add(server),
                _ => {
                    let next = ListedHost::of(server).map(|host| (key, host));
                    if let Some((_, host)) = std::mem::replace(&mut current, next) {
                        hosts.add(host)?;
                    }
                }
            }
            Ok::<_, InspectError>(())
        })?;
        if let Some((_, host)) = current {
            hosts.add(host)?;
        }
        hosts.finish()
    }

    fn details(&self, host: &ListedHost, blocks: &BlockList) -> Result<HostDetails, InspectError> {
        let mut details =
            HostDetails { budget: 0, delay: 0.0, state: STATES.len() - 1, reason: String::new() };
        for server in &host.servers {
            (self.proceed)()?;
            let budget = self.budget(&server.home, &server.record)?;
            details.budget = details.budget.saturating_add(budget.limit());
            details.delay = details.delay.max(self.delay_seconds(self.robots(&server.home)?.as_ref()));
            let (state, reason) = self.state(server, &budget, blocks)?;
            if state < details.state {
                (details.state, details.reason) = (state, reason);
            }
        }
        Ok(details)
    }

    /// The state of a server as its place in [`STATES`], and the reason for it.
    fn state(
        &self,
        server: &ListedServer,
        budget: &BudgetStatus,
        blocks: &BlockList,
    ) -> Result<(usize, String), InspectError> {
        if let Some(name) = blocks.find_name(server.home.host()) {
            return Ok((0, Reason::Blocked(name).to_string()));
        }
        if let Some(until) = self.backoff_until(&server.record) {
            let until = format!("until {}", format_unix_time(until));
            let failure = server.record.last_failures.last();
            let reason =
                failure.map_or(until.clone(), |last| format!("{until}: {}: {}", last.kind, last.cause));
            return Ok((2, reason));
        }
        if server.queued == 0 {
            return Ok((4, String::new()));
        }
        // Visits that count towards no budget may be queued besides.
        let is_wanted =
            || self.store.entries_of_lane(&QueueName::of(&server.home), Lane::Unbudgeted, None, 1);
        match budget.admit_new_page() {
            Err(reason) if is_wanted()?.is_empty() => Ok((3, reason.to_string())),
            _ => Ok((1, String::new())),
        }
    }
}

/// The name of a queue without its scheme.
fn host_key(queue: &QueueName) -> Vec<u8> {
    let name = queue.as_bytes();
    name[..name.len().saturating_sub(1)].to_vec()
}

impl ListedHost {
    /// `None` for a server whose name is damaged.
    fn of(server: QueuedServer) -> Option<Self> {
        let name = server.queue.home()?.authority().to_owned();
        let (servers, details) = (Vec::new(), None);
        let mut host = Self { name, queued: 0, fetched: 0, last_fetch: 0, servers, details };
        host.add(server);
        Some(host)
    }

    fn add(&mut self, QueuedServer { queue, mut record, queued }: QueuedServer) {
        let Some(home) = queue.home() else { return };
        self.queued += queued;
        self.fetched += record.pages;
        let visits = std::mem::take(&mut record.last);
        self.last_fetch = self.last_fetch.max(visits.iter().map(|visit| visit.visited_at).max().unwrap_or(0));
        // Of the texts, only those of the last failure are shown, without its URL.
        let failure = record.last_failures.pop();
        record.last_failures =
            failure.map(|last| HostFailure { url: String::new(), ..last }).into_iter().collect();
        self.servers.push(ListedServer { home, record, queued });
    }
}

/// The hosts that come first so far.
struct HostSelection<'a> {
    inspector: &'a Inspector<'a>,
    blocks: &'a BlockList,
    request: &'a HostListRequest<'a>,
    change: u64,
    count: u64,
    kept: Vec<ListedHost>,
}

/// Hosts beyond those asked for that are held before they are sorted out.
const SLACK: usize = 1_024;

impl HostSelection<'_> {
    fn add(&mut self, mut host: ListedHost) -> Result<(), InspectError> {
        if !host.name.contains(self.request.part) {
            return Ok(());
        }
        self.count += 1;
        let is_dear = |order: &HostOrder| {
            matches!(order.column, HostColumn::Budget | HostColumn::Delay | HostColumn::State)
        };
        if self.request.order.iter().any(is_dear) {
            host.details = Some(self.inspector.details(&host, self.blocks)?);
        }
        self.kept.push(host);
        let wanted = self.request.offset.saturating_add(self.request.limit);
        if self.kept.len() >= wanted.saturating_mul(2).saturating_add(SLACK) {
            self.sort();
            self.kept.truncate(wanted);
        }
        Ok(())
    }

    fn sort(&mut self) {
        let order = self.request.order;
        self.kept.sort_unstable_by(|a, b| compare(a, b, order));
    }

    fn finish(mut self) -> Result<HostList, InspectError> {
        self.sort();
        let HostListRequest { offset, limit, .. } = *self.request;
        let (inspector, blocks) = (self.inspector, self.blocks);
        let shown = self.kept.into_iter().skip(offset).take(limit);
        let rows = shown.map(|mut host| {
            let details = match host.details.take() {
                Some(details) => details,
                None => inspector.details(&host, blocks)?,
            };
            let last_fetch = (host.last_fetch > 0).then(|| format_unix_time(host.last_fetch));
            let HostDetails { budget, delay, state, reason } = details;
            let ListedHost { name, queued, fetched, .. } = host;
            Ok::<_, InspectError>(HostRow {
                host: name,
                queued,
                fetched,
                budget,
                delay,
                last_fetch,
                state: STATES[state],
                reason,
            })
        });
        let rows = rows.collect::<Result<_, InspectError>>()?;
        Ok(HostList { rows, count: self.count, change: self.change, read_at: inspector.now })
    }
}

fn compare(a: &ListedHost, b: &ListedHost, order: &[HostOrder]) -> Ordering {
    let by_detail = |compare: fn(&HostDetails, &HostDetails) -> Ordering| match (&a.details, &b.details) {
        (Some(a), Some(b)) => compare(a, b),
        _ => Ordering::Equal,
    };
    for HostOrder { column, descending } in order {
        let ordering = match column {
            HostColumn::Host => a.name.cmp(&b.name),
            HostColumn::Queued => a.queued.cmp(&b.queued),
            HostColumn::Fetched => a.fetched.cmp(&b.fetched),
            HostColumn::LastFetch => a.last_fetch.cmp(&b.last_fetch),
            HostColumn::Budget => by_detail(|a, b| a.budget.cmp(&b.budget)),
            HostColumn::Delay => by_detail(|a, b| a.delay.total_cmp(&b.delay)),
            HostColumn::State => by_detail(|a, b| STATES[a.state].cmp(STATES[b.state])),
        };
        if ordering.is_ne() {
            return if *descending { ordering.reverse() } else { ordering };
        }
    }
    a.name.cmp(&b.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::inspect::tests::{NOW, store_of};
    use crate::store::Store;
    use crate::urls::UrlRules;

    fn filled_store(folder: &std::path::Path) -> Store {
        let found = [
            "http://a.test/1",
            "http://a.test/2",
            "https://a.test/3",
            "http://a.test:8080/4",
            "http://asleep.test/5",
            "http://blocked.test/6",
            "http://2.a.test/7",
        ];
        store_of(folder, &found.map(|text| (text, 1)))
    }

    #[test]
    fn hosts_are_grouped_ordered_and_cut() {
        let folder = tempfile::tempdir().unwrap();
        let (store, rules, config) = (filled_store(folder.path()), UrlRules::default(), Config::default());
        let (config, proceed) = (&config, &|| Ok(()));
        let inspector = Inspector { store: &store, config, rules: &rules, seeds: &[], now: NOW, proceed };
        let list = |part: &str, order: &[(HostColumn, bool)], offset, limit| {
            let order: Vec<HostOrder> =
                order.iter().map(|&(column, descending)| HostOrder { column, descending }).collect();
            let request = HostListRequest { part, order: &order, offset, limit };
            let list = inspector.hosts(&request).unwrap();
            let rows = list.rows.into_iter().map(|row| (row.host, row.queued, row.state));
            (rows.collect::<Vec<_>>(), list.count)
        };
        let row = |host: &str, queued, state| (host.to_owned(), queued, state);
        let all = [
            row("a.test", 3, "waiting"),
            row("2.a.test", 1, "waiting"),
            row("a.test:8080", 1, "waiting"),
            row("asleep.test", 1, "asleep"),
            row("blocked.test", 1, "blocked"),
            row("gone.test", 0, "idle"),
        ];
        assert_eq!(list("", &[(HostColumn::Queued, true)], 0, 10), (all.to_vec(), 6));
        assert_eq!(list("", &[(HostColumn::Queued, true)], 1, 2), (all[1..3].to_vec(), 6));
        assert_eq!(list("a.test", &[(HostColumn::Host, true)], 0, 1), (vec![all[2].clone()], 3));
        let (by_state, _) = list("", &[(HostColumn::State, false), (HostColumn::Host, true)], 0, 3);
        assert_eq!(by_state, [all[3].clone(), all[4].clone(), all[5].clone()]);
        assert_eq!(list("", &[(HostColumn::Budget, false)], 0, 0), (vec![], 6));
    }

    #[test]
    fn a_host_is_asleep_or_spent_for_a_reason() {
        let folder = tempfile::tempdir().unwrap();
        let (store, rules, mut config) =
            (filled_store(folder.path()), UrlRules::default(), Config::default());
        config.crawl.host_pages = 0;
        let (config, proceed) = (&config, &|| Ok(()));
        let inspector = Inspector { store: &store, config, rules: &rules, seeds: &[], now: NOW, proceed };
        let request = HostListRequest { part: "", order: &[], offset: 0, limit: 10 };
        let list = inspector.hosts(&request).unwrap();
        let reason = |host: &str| list.rows.iter().find(|row| row.host == host).unwrap().reason.clone();
        assert_eq!(reason("a.test"), "Its host has used its budget of 0 new pages.");
        assert_eq!(reason("asleep.test"), "until 2023-11-14T22:14:20Z: timeout: no answer");
        assert_eq!(
            reason("blocked.test"),
            "crawl.block_list or blocks.txt names its host: the entry is blocked.test."
        );
        assert_eq!(reason("gone.test"), "");
        assert_eq!(list.rows[0].budget, 0);
    }
}
