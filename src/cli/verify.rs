//! `backlinkd verify`: whether the index agrees with itself, and making it so.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::Context;

use super::meter::{Meter, Status};
use super::numbers::grouped;
use super::{Ending, Setting};
use crate::config::Config;
use crate::fetch::KeptRobots;
use crate::store::{Finding, Findings, Store, VerifyOptions, VerifyProgress};

pub(super) fn verify(setting: &Setting, repair: bool) -> anyhow::Result<Ending> {
    let options = options(&setting.config, repair);
    let start = Instant::now();
    let findings = {
        let step: Arc<Mutex<Option<VerifyProgress>>> = Arc::default();
        let shown = Arc::clone(&step);
        let _meter = Meter::start(&setting.console, move || {
            status(*shown.lock().unwrap_or_else(PoisonError::into_inner))
        });
        let (config, suffixes) = (&setting.config.store, &setting.suffixes);
        Store::verify_in(&setting.data, config, suffixes, options, &mut |now| {
            *step.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
        })?
    };
    if repair && findings.found.iter().any(|finding| finding.family == "changes") {
        forget_searches(setting)?;
    }
    for line in report(&findings, repair) {
        setting.console.answer(line)?;
    }
    setting.console.tell(format_args!("Verified in {:.1} s.", start.elapsed().as_secs_f64()));
    Ok(if findings.is_clean() { Ending::Good } else { Ending::Partial })
}

fn options(Config { store, crawl, robots, .. }: &Config, repair: bool) -> VerifyOptions {
    // A host whose robots.txt cannot be had is left alone until that is asked for again.
    let longest_sleep = crawl.dead_host_retry.0.max(robots.retry_after.0).max(robots.max_age.0);
    VerifyOptions {
        repair,
        memory_bytes: store.verify_memory_bytes,
        longest_sleep: longest_sleep.as_secs(),
        longest_wait: crawl.recrawl_max.0.max(crawl.recrawl_min.0).as_secs(),
        is_robots: |bytes| KeptRobots::decode(bytes).is_some(),
        ..VerifyOptions::default()
    }
}

fn status(progress: Option<VerifyProgress>) -> Status {
    let text = progress.map_or("verifying".to_owned(), |progress| {
        format!("{}: {} rows", progress.step, grouped(progress.rows))
    });
    Status { text, idle: false }
}

/// Search indexes go by the numbers of changes, which may be others now. They are made anew when they are asked for.
fn forget_searches(setting: &Setting) -> anyhow::Result<()> {
    let given = &setting.config.search.directory;
    let directory = if given.as_os_str().is_empty() { setting.data.join("searches") } else { given.clone() };
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

/// One line for each kind of damage, and one that says what is left of it.
fn report(findings: &Findings, repair: bool) -> Vec<String> {
    if findings.found.is_empty() {
        return vec!["Nothing is wrong with the index.".to_owned()];
    }
    let mut lines: Vec<String> = findings.found.iter().map(Finding::to_string).collect();
    lines.push(match (repair, findings.left.len()) {
        (false, _) => {
            "The index is damaged; `backlinkd verify --repair` makes good what can be made anew.".to_owned()
        }
        (true, 0) => "Repaired; a second look finds nothing wrong.".to_owned(),
        (true, _) => "Repaired in part; this is left:".to_owned(),
    });
    if repair {
        lines.extend(findings.left.iter().map(Finding::to_string));
    }
    lines
}
