//! `backlinkd explain`: the state of a URL, and why it is not fetched. Works while a daemon runs.

use crate::cli::Outcome;
use crate::cli::context::CliContext;
use crate::clock::format_unix_time;
use crate::inspect::{PageReport, QueueReport, RobotsReport, UrlReport};

pub(crate) fn explain(context: &CliContext, word: &str, json: bool) -> anyhow::Result<Outcome> {
    let url = context.rules.parse_typed(word)?;
    let store = context.open_secondary()?;
    let needs_seeds = context.config.crawl.stay_on_seed_domains;
    let seeds = if needs_seeds { context.listed_seeds()?.0 } else { Vec::new() };
    let report = context.inspector(&store, &seeds).url(&url)?;
    if json {
        context.console.print(serde_json::to_string(&report)?)?;
    } else {
        context.console.print(format_url(&report))?;
    }
    Ok(Outcome::Success)
}

/// The report as text: the URL, rows about it, and the reasons as sentences.
fn format_url(report: &UrlReport) -> String {
    let mut text = report.url.clone();
    match &report.page {
        Some(page) => text += &format_page(page),
        None => text += "\n  never visited",
    }
    if let Some(cause) = &report.cause {
        text += &format!("\n  cause: {cause}");
    }
    if let Some(queued) = &report.queued {
        text += &format_queued(queued);
    }
    if let Some(robots) = report.server.robots.as_ref().filter(|robots| robots.allowed) {
        text += &format_permission(robots);
    }
    if report.reasons.is_empty() {
        return text + "\nIt is fetched when its turn comes.";
    }
    report.reasons.iter().fold(text, |text, reason| format!("{text}\n{reason}"))
}

fn format_page(page: &PageReport) -> String {
    let outcome = page.failure.map_or_else(|| format!("status {}", page.status), str::to_owned);
    let mut text = format!("\n  visited at {}: {outcome}", format_unix_time(page.visited));
    if let Some(cut) = page.cut {
        text += &format!("\n  the end of its body is missing ({cut})");
    }
    if let Some(flaw) = page.tls {
        text += &format!("\n  the certificate of its server cannot be verified ({flaw})");
    }
    text
}

fn format_queued(queued: &QueueReport) -> String {
    let role = match (queued.due, queued.place) {
        (Some(due), _) => format!("for another visit, due since {}", format_unix_time(due)),
        (_, Some(place)) => format!("as a new page, priority {place}"),
        _ => format!("as a {}", queued.kind),
    };
    format!(
        "\n  waits in its host's queue {role}, {} links away from a seed, {} failed attempts",
        queued.depth, queued.failed_attempts
    )
}

fn format_permission(robots: &RobotsReport) -> String {
    match robots.line {
        0 => "\n  allowed: no line of robots.txt is about it".to_owned(),
        line => format!("\n  allowed by line {line} of robots.txt"),
    }
}
