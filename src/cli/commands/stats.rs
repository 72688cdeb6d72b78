//! `backlinkd stats`: the size of the index. Works while a daemon runs.

use crate::cli::Outcome;
use crate::cli::context::CliContext;
use crate::cli::terminal::numbers::row;
use crate::store::Stats;

pub(crate) fn stats(context: &CliContext, json: bool) -> anyhow::Result<Outcome> {
    let stats = context.open_secondary()?.stats()?;
    if json {
        let mut value = serde_json::to_value(&stats)?;
        value["bytes_per_link"] = serde_json::json!((stats.bytes_per_link() * 100.0).round() / 100.0);
        context.console.print(value)?;
    } else {
        context.console.print(table(&stats))?;
    }
    Ok(Outcome::Success)
}

/// The figures as a text table.
pub(crate) fn table(stats: &Stats) -> String {
    let per_link = format!("{:.1} a link", stats.bytes_per_link());
    let rows = [
        ("URLs visited", stats.visited, ""),
        ("HTML pages", stats.html_pages, ""),
        ("links", stats.links, ""),
        ("  backlinks", stats.backlinks, "to other hosts"),
        ("former links", stats.lost_links, ""),
        ("hosts", stats.hosts, ""),
        ("domains", stats.domains, ""),
        ("URLs queued", stats.queued, ""),
        ("bytes on disk", stats.disk_bytes, &per_link),
    ];
    rows.into_iter().fold("The index".to_owned(), |text, (name, value, note)| text + &row(name, value, note))
}
