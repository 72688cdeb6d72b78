//! `backlinkd host`: what is known of a host as a server, and how it is treated. Also while a daemon runs.

use super::numbers::grouped;
use super::standing::{Failure, Robots, Server, time};
use super::{Ending, Setting};
use crate::urls::CanonicalUrl;

pub(super) fn host(setting: &Setting, word: &str, json: bool) -> anyhow::Result<Ending> {
    let url = setting.rules.typed(word)?;
    let store = setting.open_beside()?;
    let homes = store.servers(url.host())?.into_iter().filter_map(|(queue, _)| queue.home());
    let mut urls: Vec<CanonicalUrl> = homes.filter(|home| home.host() == url.host()).collect();
    let home = |scheme: &str| setting.rules.canonical(&format!("{scheme}://{}/", url.authority()));
    for usual in [home("https")?, home("http")?] {
        // Never fetched from, but perhaps about to be.
        if !urls.contains(&usual) && store.queue_length_of(&crate::frontier::QueueName::of(&usual))? > 0 {
            urls.push(usual);
        }
    }
    let servers = urls.iter().map(|url| Server::of(setting, &store, url)).collect::<Result<Vec<_>, _>>()?;
    if json {
        setting.console.answer(serde_json::to_string(&servers)?)?;
    } else if servers.is_empty() {
        setting
            .console
            .answer(format_args!("Nothing of {} was fetched, and nothing waits to be.", url.host()))?;
    } else {
        for server in &servers {
            setting.console.answer(text(server))?;
        }
    }
    Ok(Ending::Good)
}

/// For people.
fn text(server: &Server) -> String {
    let budget = &server.budget;
    let mut text = server.origin.clone();
    let mut row = |name: &str, value: String| text += &format!("\n  {name:<12} {value}");
    row("robots.txt", server.robots.as_ref().map_or("not asked for yet".to_owned(), robots));
    if let Some((since, robots)) =
        server.robots.as_ref().and_then(|robots| Some((robots.failing_since?, robots)))
    {
        row("failing", failing(since, robots));
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
                time(until)
            ),
        );
    }
    if server.blocked {
        row("blocked", "crawl.block_list or blocks.txt names it".to_owned());
    }
    for visit in server.last_visits.iter().rev() {
        row(&visit.outcome, time(visit.at));
    }
    for Failure { at, url, kind, cause } in server.failures.iter().rev() {
        row("failed", format!("{} {kind} {url}: {cause}", time(*at)));
    }
    text
}

/// Since when a robots.txt cannot be had, and why.
fn failing(since: u64, Robots { attempts, kind, cause, .. }: &Robots) -> String {
    let since = format!("robots.txt cannot be had since {}", time(since));
    match attempts {
        // As an earlier version left it.
        0 => since,
        1 => format!("{since}: {kind}: {cause}"),
        attempts => format!("{since}, {attempts} attempts: {kind}: {cause}"),
    }
}

fn robots(robots: &Robots) -> String {
    let fetched = robots
        .fetched
        .map_or("never had".to_owned(), |at| format!("status {} at {}", robots.status, time(at)));
    format!("{fetched}; goes by {}; asked for again at {}", robots.basis, time(robots.due))
}
