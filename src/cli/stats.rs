//! `backlinkd stats`: the size of the index. Also while a daemon runs.

use super::numbers::row;
use super::{Ending, Setting};
use crate::store::Stats;

pub(super) fn stats(setting: &Setting, json: bool) -> anyhow::Result<Ending> {
    let stats = setting.open_beside()?.stats()?;
    if json {
        let mut value = serde_json::to_value(&stats)?;
        value["bytes_per_link"] = serde_json::json!((stats.bytes_per_link() * 100.0).round() / 100.0);
        setting.console.answer(value)?;
    } else {
        setting.console.answer(table(&stats))?;
    }
    Ok(Ending::Good)
}

/// For people.
pub(super) fn table(stats: &Stats) -> String {
    let per_link = format!("{:.1} a link", stats.bytes_per_link());
    let rows = [
        ("URLs visited", stats.visited, ""),
        ("HTML pages", stats.html_pages, ""),
        ("links", stats.links, ""),
        ("  backlinks", stats.backlinks, "to other hosts"),
        ("former links", stats.inactive_links, ""),
        ("hosts", stats.hosts, ""),
        ("domains", stats.domains, ""),
        ("URLs queued", stats.queued, ""),
        ("bytes on disk", stats.disk_bytes, &per_link),
    ];
    rows.into_iter().fold("The index".to_owned(), |text, (name, value, note)| text + &row(name, value, note))
}
