//! `backlinkd verify`: checks the consistency of the index, and repairs it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::Context;

use crate::cli::Outcome;
use crate::cli::context::CliContext;
use crate::cli::process::maintenance::{Maintenance, MaintenanceLog};
use crate::cli::terminal::numbers::grouped;
use crate::cli::terminal::progress::{ProgressDisplay, Status};
use crate::config::Config;
use crate::fetch::StoredRobots;
use crate::policy::max_stored_backoff;
use crate::store::{Finding, Findings, Store, VerifyOptions, VerifyProgress};

pub(crate) fn verify(context: &CliContext, repair: bool) -> anyhow::Result<Outcome> {
    let options = options(&context.config, repair);
    let start = Instant::now();
    let findings = {
        let step: Arc<Mutex<Option<VerifyProgress>>> = Arc::default();
        let shown = Arc::clone(&step);
        let _display = ProgressDisplay::start(&context.console, move || {
            status(*shown.lock().unwrap_or_else(PoisonError::into_inner))
        });
        let (config, suffixes) = (&context.config.store, &context.suffixes);
        Store::verify_in(&context.data, config, suffixes, options, &mut |now| {
            *step.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
        })?
    };
    if repair && findings.found.iter().any(|finding| finding.family == "changes") {
        remove_search_indexes(context)?;
    }
    MaintenanceLog::record(&context.data, Maintenance::Verified { is_clean: findings.is_clean() });
    for line in report(&findings, repair) {
        context.console.print(line)?;
    }
    context.console.info(format_args!("Verified in {:.1} s.", start.elapsed().as_secs_f64()));
    Ok(if findings.is_clean() { Outcome::Success } else { Outcome::Partial })
}

fn options(config: &Config, repair: bool) -> VerifyOptions {
    let Config { store, crawl, .. } = config;
    VerifyOptions {
        repair,
        memory_bytes: store.verify_memory_bytes,
        longest_sleep: max_stored_backoff(&config.crawl, &config.robots).as_secs(),
        longest_wait: crawl.recrawl_max.0.max(crawl.recrawl_min.0).as_secs(),
        is_robots: |bytes| StoredRobots::decode(bytes).is_some(),
        ..VerifyOptions::default()
    }
}

fn status(progress: Option<VerifyProgress>) -> Status {
    let text = progress.map_or("verifying".to_owned(), |progress| {
        format!("{}: {} rows", progress.step, grouped(progress.rows))
    });
    Status { text, idle: false }
}

/// Removes the search indexes. They depend on change numbers, which the repair may have altered, and are rebuilt on
/// demand.
fn remove_search_indexes(context: &CliContext) -> anyhow::Result<()> {
    let given = &context.config.search.directory;
    let directory = if given.as_os_str().is_empty() { context.data.join("searches") } else { given.clone() };
    let Ok(files) = std::fs::read_dir(&directory) else { return Ok(()) };
    for path in files
        .flatten()
        .map(|file| file.path())
        .filter(|path| path.extension().is_some_and(|end| end == "index"))
    {
        std::fs::remove_file(&path).with_context(|| format!("{} cannot be removed", path.display()))?;
    }
    Ok(())
}

/// One line for each kind of damage, and a line about what remains of it.
fn report(findings: &Findings, repair: bool) -> Vec<String> {
    if findings.found.is_empty() {
        return vec!["Nothing is wrong with the index.".to_owned()];
    }
    let mut lines: Vec<String> = findings.found.iter().map(Finding::to_string).collect();
    lines.push(match (repair, findings.left.len()) {
        (false, _) => {
            "The index is damaged; `backlinkd verify --repair` rebuilds what can be rebuilt.".to_owned()
        }
        (true, 0) => "Repaired; a second look finds nothing wrong.".to_owned(),
        (true, _) => "Partly repaired; this damage is left:".to_owned(),
    });
    if repair {
        lines.extend(findings.left.iter().map(Finding::to_string));
    }
    lines
}
