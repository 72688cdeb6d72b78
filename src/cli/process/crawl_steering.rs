//! The daemon's crawl, as the API shows and controls it.
//!
//! Changes of the seeds and the block list are those of `backlinkd seeds` and `backlinkd block`: the list of the index is
//! written, and then the daemon reads its lists again.

use std::sync::Arc;

use anyhow::Context;

use crate::api::{ControlError, CrawlControl, CrawlFailure, CrawlStatus, ListEffect};
use crate::cli::context::CliContext;
use crate::cli::control::{ReloadSender, reload_now};
use crate::cli::lists::{ListChange, ListEdit, ListEntry, rewrite_file};
use crate::crawl::{CrawlState, Crawler, Figures, PauseCause, Progress, RecentFailure};
use crate::metrics::ProcessActivity;
use crate::model::{DiscoveredUrl, FailureKind, Priority, Target};
use crate::policy::{BlockedName, LowDisk, Reason};
use crate::store::{Store, StoreError, free_bytes};
use crate::urls::CanonicalUrl;

/// Shows and controls the crawl of one session of the daemon (see `cli/commands/run.rs`).
pub(crate) struct CrawlSteering {
    context: Arc<CliContext>,
    crawler: Arc<Crawler>,
    store: Arc<Store>,
    activity: Arc<ProcessActivity>,
    reload: ReloadSender,
}

impl CrawlSteering {
    pub(crate) fn new(
        context: &Arc<CliContext>,
        crawler: &Arc<Crawler>,
        store: &Arc<Store>,
        activity: &Arc<ProcessActivity>,
        reload: ReloadSender,
    ) -> Self {
        Self {
            context: Arc::clone(context),
            crawler: Arc::clone(crawler),
            store: Arc::clone(store),
            activity: Arc::clone(activity),
            reload,
        }
    }

    /// Why the crawl is paused, as a sentence.
    fn pause_reason(&self, cause: PauseCause) -> String {
        match cause {
            PauseCause::Operator => "An operator paused the crawl; /crawl/resume ends that.".to_owned(),
            PauseCause::Store => {
                "No page is fetched until the index takes writes; the log has the cause.".to_owned()
            }
            PauseCause::Archive => {
                "No page is fetched until responses can be written to crawl.warc_dir; the log has the cause."
                    .to_owned()
            }
            PauseCause::Disk => {
                let disk = LowDisk::find(self.store.directory(), &self.context.config.crawl, free_bytes);
                let room = "No page is fetched until the next look at the disks, which have room again.";
                disk.map_or_else(|| room.to_owned(), |disk| Reason::LowDisk(disk).to_string())
            }
        }
    }

    /// Changes a list. Returns the entries that changed, and the others.
    fn edit<E: ListEntry>(&self, change: ListChange, entries: &[E]) -> Result<ListEffect, ControlError> {
        let edit = ListEdit { change, entries, bad_lines: &[] };
        let result = rewrite_file(&self.context.data, &edit, &self.context.rules)
            .with_context(|| format!("{} cannot be changed", E::DESCRIPTION))
            .map_err(|error| ControlError::Failed(format!("{error:#}")))?;
        let unchanged = entries.iter().filter(|entry| !result.changed.contains(entry));
        let mut effect = ListEffect { unchanged: texts(unchanged), ..ListEffect::default() };
        // A line that is listed twice is removed twice.
        effect.changed = texts(result.changed.iter());
        effect.changed.dedup();
        Ok(effect)
    }

    /// Makes the daemon read the lists again, if they changed.
    fn apply(&self, effect: ListEffect) -> Result<ListEffect, ControlError> {
        if effect.changed.is_empty() {
            return Ok(effect);
        }
        let complaints = reload_now(&self.reload).map_err(ControlError::Failed)?;
        Ok(ListEffect { complaints, ..effect })
    }

    /// The entry for another visit of a URL; `None` for one that is neither visited nor queued. The distance from the
    /// seeds stays.
    fn revisit_entry(&self, url: &CanonicalUrl) -> Result<Option<DiscoveredUrl>, StoreError> {
        let depth = match self.store.page(url)? {
            Some(page) => Some(page.depth),
            None => self.store.find_entry(url)?.map(|entry| entry.depth),
        };
        let entry =
            |depth| DiscoveredUrl { url: url.clone(), priority: Priority::Seed, depth, target: Target::Page };
        Ok(depth.map(entry))
    }
}

impl CrawlControl for CrawlSteering {
    fn status(&self) -> CrawlStatus {
        let progress = self.crawler.progress();
        let (figures, (state, since)) = (progress.figures(), progress.state());
        let (pages_per_second, rate) = progress.page_rates();
        let (state, reason) = match state {
            CrawlState::Running => ("running", String::new()),
            CrawlState::Idle => ("idle", String::new()),
            CrawlState::Paused(cause) => ("paused", self.pause_reason(cause)),
        };
        CrawlStatus {
            state,
            since,
            reason,
            pages_per_second,
            rate,
            fetches_in_flight: figures.in_flight,
            slow_fetches: figures.slow,
            fetchers: self.context.config.crawl.fetchers,
            responses: responses(progress, &figures),
            failures: failures(&figures),
            failed_requests: failed_requests(progress),
            ranking: self.activity.is_ranking(),
        }
    }

    fn failures(&self) -> Vec<CrawlFailure> {
        let failures = self.crawler.progress().recent_failures().into_iter();
        let shown = |failure: RecentFailure| {
            let RecentFailure { at, resource, kind, url, cause } = failure;
            CrawlFailure { at, resource, kind, url, cause }
        };
        failures.map(shown).collect()
    }

    fn set_paused(&self, is_paused: bool) -> bool {
        let changes = self.crawler.set_paused(is_paused);
        if changes {
            tracing::info!(is_paused, "an operator paused the crawl, or ended the pause");
        }
        changes
    }

    fn add_seeds(&self, seeds: &[CanonicalUrl]) -> Result<ListEffect, ControlError> {
        self.apply(self.edit(ListChange::Add, seeds)?)
    }

    fn edit_blocks(&self, add: &[String], remove: &[String]) -> Result<ListEffect, ControlError> {
        let parse = |texts: &[String]| {
            let names = texts.iter().map(|text| BlockedName::from_argument(text, &self.context.rules));
            let names: anyhow::Result<Vec<BlockedName>> = names.collect();
            names.map_err(|error| ControlError::Invalid(error.to_string()))
        };
        let (add, remove) = (parse(add)?, parse(remove)?);
        let mut effect = self.edit(ListChange::Add, &add)?;
        let removed = self.edit(ListChange::Remove, &remove)?;
        effect.changed.extend(removed.changed);
        effect.unchanged.extend(removed.unchanged);
        self.apply(effect)
    }

    fn revisit(&self, urls: &[CanonicalUrl]) -> Result<Vec<CanonicalUrl>, ControlError> {
        let (mut visits, mut unknown) = (Vec::new(), Vec::new());
        for url in urls {
            match self.revisit_entry(url).map_err(|error| ControlError::Failed(error.to_string()))? {
                Some(entry) => visits.push(entry),
                None => unknown.push(url.clone()),
            }
        }
        if unknown.is_empty() {
            self.crawler.request_visits(visits);
        }
        Ok(unknown)
    }

    fn request_ranking(&self) -> bool {
        self.activity.request_ranking();
        self.activity.is_ranking()
    }
}

/// The visits with a response, by class of their status. Another class than the usual ones is named if it occurs.
fn responses(progress: &Progress, figures: &Figures) -> Vec<(&'static str, u64)> {
    let classes = progress.responses().into_iter();
    let shown = classes.filter(|(class, count)| *class != "other" || *count > 0);
    shown.chain([("304", figures.unchanged)]).collect()
}

/// The visits without a response, by why they failed.
fn failures(figures: &Figures) -> Vec<(&'static str, u64)> {
    let kinds = FailureKind::ALL.iter().map(|kind| kind.as_str()).zip(figures.failures);
    kinds.filter(|(_, count)| *count > 0).collect()
}

/// The failed requests for all resources, by kind.
fn failed_requests(progress: &Progress) -> Vec<(String, u64)> {
    let mut counts: Vec<(String, u64)> = Vec::new();
    for failed in progress.failed_requests() {
        match counts.iter_mut().find(|(kind, _)| *kind == failed.kind) {
            Some((_, count)) => *count += failed.count,
            None => counts.push((failed.kind, failed.count)),
        }
    }
    counts
}

fn texts<'e, E: ListEntry + 'e>(entries: impl Iterator<Item = &'e E>) -> Vec<String> {
    entries.map(ToString::to_string).collect()
}
