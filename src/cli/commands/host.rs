//! `backlinkd host`: the state of a host, and how it is treated. Works while a daemon runs.

use crate::cli::Outcome;
use crate::cli::context::CliContext;
use crate::cli::terminal::numbers::grouped;
use crate::clock::format_unix_time;
use crate::inspect::{BudgetReport, FailureReport, OriginReport, RobotsReport};

pub(crate) fn host(context: &CliContext, word: &str, json: bool) -> anyhow::Result<Outcome> {
    let url = context.rules.parse_typed(word)?;
    let store = context.open_secondary()?;
    let servers = context.inspector(&store, &[]).origin_reports(&url)?;
    if json {
        context.console.print(serde_json::to_string(&servers)?)?;
    } else if servers.is_empty() {
        context
            .console
            .print(format_args!("Nothing of {} was fetched, and nothing waits to be.", url.host()))?;
    } else {
        for server in &servers {
            context.console.print(format_server(server))?;
        }
    }
    Ok(Outcome::Success)
}

/// The report as text: the origin, and rows of a name and a value.
fn format_server(server: &OriginReport) -> String {
    let mut text = server.origin.clone();
    let mut row = |name: &str, value: String| text += &format!("\n  {name:<12} {value}");
    row("robots.txt", server.robots.as_ref().map_or("not asked for yet".to_owned(), format_robots));
    if let Some(failure) = server.robots.as_ref().and_then(format_robots_failure) {
        row("failing", failure);
    }
    row("delay", format!("{} s from the end of a fetch to the next", server.delay_seconds));
    row("queue", format!("{} URLs", grouped(server.queued)));
    row("visits", format!("{}, the last {} failed", grouped(server.visits), server.failures_in_a_row));
    row("budget", format_budget(&server.budget));
    if let Some(until) = server.backoff_until {
        let until = format_unix_time(until);
        row(
            "asleep",
            format!("until {until}, because it did not answer, answered with errors or asked for a pause"),
        );
    }
    if server.blocked {
        row("blocked", "crawl.block_list or blocks.txt names it".to_owned());
    }
    for visit in server.last_visits.iter().rev() {
        row(&visit.outcome, format_unix_time(visit.at));
    }
    for FailureReport { at, url, kind, cause } in server.failures.iter().rev() {
        row("failed", format!("{} {kind} {url}: {cause}", format_unix_time(*at)));
    }
    text
}

fn format_budget(budget: &BudgetReport) -> String {
    let [pages, most, domain_pages, domain_most] =
        [budget.pages, budget.most, budget.domain_pages, budget.domain_most].map(grouped);
    format!("{pages} of {most} new pages, {domain_pages} of {domain_most} of {}", budget.domain)
}

/// How long a robots.txt has been unavailable, and why; `None` when it is not.
fn format_robots_failure(robots: &RobotsReport) -> Option<String> {
    let RobotsReport { attempts, kind, cause, .. } = robots;
    let since = format!("robots.txt has been unavailable since {}", format_unix_time(robots.failing_since?));
    Some(match attempts {
        // Stored by an earlier version, which did not count attempts.
        0 => since,
        1 => format!("{since}: {kind}: {cause}"),
        attempts => format!("{since}, {attempts} attempts: {kind}: {cause}"),
    })
}

fn format_robots(robots: &RobotsReport) -> String {
    let fetched = robots.fetched.map_or("never fetched".to_owned(), |at| {
        format!("status {} at {}", robots.status, format_unix_time(at))
    });
    format!("{fetched}; based on {}; next fetch at {}", robots.basis, format_unix_time(robots.due))
}
