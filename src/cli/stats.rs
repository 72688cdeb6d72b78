//! `backlinkd stats`: the size of the index.

use super::{Ending, Setting};
use crate::store::Stats;

pub(super) fn stats(setting: &Setting, json: bool) -> anyhow::Result<Ending> {
    let stats = setting.open()?.stats()?;
    if json {
        let mut value = serde_json::to_value(&stats)?;
        value["bytes_per_link"] = serde_json::json!((stats.bytes_per_link() * 100.0).round() / 100.0);
        println!("{value}");
    } else {
        print(&stats);
    }
    Ok(Ending::Good)
}

pub(super) fn print(stats: &Stats) {
    println!("The index");
    let rows = [
        ("URLs visited", stats.visited),
        ("HTML pages", stats.html_pages),
        ("links", stats.links),
        ("  backlinks", stats.backlinks),
        ("  no longer there", stats.inactive_links),
        ("hosts", stats.hosts),
        ("domains", stats.domains),
        ("URLs queued", stats.queued),
        ("bytes on disk", stats.disk_bytes),
    ];
    for (name, value) in rows {
        println!("  {name:<17} {value:>12}");
    }
    println!("  {:<17} {:>12.1}", "bytes a link", stats.bytes_per_link());
}
