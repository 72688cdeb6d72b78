//! `backlinkd host`: the state of a host, and how it is treated. Works while a daemon runs.

use super::server_report::{FailureReport, RobotsReport, ServerReport, format_time};
use crate::cli::Outcome;
use crate::cli::context::CliContext;
use crate::cli::terminal::numbers::grouped;
use crate::urls::CanonicalUrl;

pub fn host(context: &CliContext, word: &str, json: bool) -> anyhow::Result<Outcome> {
    let url = context.rules.typed(word)?;
    let store = context.open_secondary()?;
    let homes = store.servers(url.host())?.into_iter().filter_map(|(queue, _)| queue.home());
    let mut urls: Vec<CanonicalUrl> = homes.filter(|home| home.host() == url.host()).collect();
    let home = |scheme: &str| context.rules.canonical(&format!("{scheme}://{}/", url.authority()));
    for usual in [home("https")?, home("http")?] {
        // Servers that are queued but have never been fetched from.
        if !urls.contains(&usual) && store.queue_length_of(&crate::model::QueueName::of(&usual))? > 0 {
            urls.push(usual);
        }
    }
    let servers =
        urls.iter().map(|url| ServerReport::collect(context, &store, url)).collect::<Result<Vec<_>, _>>()?;
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

/// The report as text.
fn format_server(server: &ServerReport) -> String {
    let budget = &server.budget;
    let mut text = server.origin.clone();
    let mut row = |name: &str, value: String| text += &format!("\n  {name:<12} {value}");
    row("robots.txt", server.robots.as_ref().map_or("not asked for yet".to_owned(), format_robots));
    if let Some((since, robots)) =
        server.robots.as_ref().and_then(|robots| Some((robots.failing_since?, robots)))
    {
        row("failing", format_failure(since, robots));
    }
    row("delay", format!("{} s from the end of a fetch to the next", server.delay_seconds));
    row("queue", format!("{} URLs", grouped(server.queued)));
    row("visits", format!("{}, the last {} failed", grouped(server.visits), server.failures_in_a_row));
    row(
        "budget",
        format!(
            "{} of {} new pages, {} of {} of {}",
            grouped(budget.pages),
            grouped(budget.most),
            grouped(budget.domain_pages),
            grouped(budget.domain_most),
            budget.domain
        ),
    );
    if let Some(until) = server.asleep_until {
        row(
            "asleep",
            format!(
                "until {}, because it did not answer, answered with errors or asked for a pause",
                format_time(until)
            ),
        );
    }
    if server.blocked {
        row("blocked", "crawl.block_list or blocks.txt names it".to_owned());
    }
    for visit in server.last_visits.iter().rev() {
        row(&visit.outcome, format_time(visit.at));
    }
    for FailureReport { at, url, kind, cause } in server.failures.iter().rev() {
        row("failed", format!("{} {kind} {url}: {cause}", format_time(*at)));
    }
    text
}

/// How long a robots.txt has been unavailable, and why.
fn format_failure(since: u64, RobotsReport { attempts, kind, cause, .. }: &RobotsReport) -> String {
    let since = format!("robots.txt cannot be had since {}", format_time(since));
    match attempts {
        // Stored by an earlier version, which did not count attempts.
        0 => since,
        1 => format!("{since}: {kind}: {cause}"),
        attempts => format!("{since}, {attempts} attempts: {kind}: {cause}"),
    }
}

fn format_robots(robots: &RobotsReport) -> String {
    let fetched = robots
        .fetched
        .map_or("never fetched".to_owned(), |at| format!("status {} at {}", robots.status, format_time(at)));
    format!("{fetched}; goes by {}; asked for again at {}", robots.basis, format_time(robots.due))
}
