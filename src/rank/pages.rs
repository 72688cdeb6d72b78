//! The page graph: the stored pages as nodes, and the rank that they pass on as edges.
//!
//! The nodes are all known pages: visited pages, targets of active links (followed or not), and honoured
//! canonical URLs. An edge leads from a page to each distinct URL that it passes rank to:
//!
//! - A page whose response is a redirect passes rank to the redirect's target, unless its `X-Robots-Tag` says
//!   nofollow.
//! - A page whose canonical names another URL passes rank to that URL alone; its links pass none.
//! - Any other page passes rank to the targets of its followed links, internal and external. Each target counts
//!   once. A link is followed unless its own `rel` or the robots directives of its page make it nofollow.
//!
//! The canonical of a gone page (404, 410) is ignored, since such a page has no active links. A link from a
//! page to itself is kept. A page that passes no rank is dangling.
//!
//! The rows are read twice, first for the names and then for the edges, and are not kept. Memory: see
//! [`crate::graph`]; a name is a SURT of about 70 bytes.

use crate::graph::{Csr, CsrBuilder, NodeNames, NodeNamesBuilder};
use crate::store::{PageLinks, StoreError};
use crate::urls::{CanonicalUrl, Surt};

use super::{RankError, RankingStage};

/// Pages between two progress reports.
const REPORT_EVERY: u64 = 1 << 14;

/// The graph of all pages: their SURTs in key order, and their edges.
pub(super) struct PageGraph {
    pub names: NodeNames,
    pub edges: Csr,
}

/// Builds the page graph. `rows` is called twice and must return the same rows both times, in key order of
/// their pages.
pub(super) fn page_graph<R>(
    rows: impl Fn() -> R,
    progress: &dyn Fn(RankingStage),
) -> Result<PageGraph, RankError>
where
    R: Iterator<Item = Result<PageLinks, StoreError>>,
{
    let names = page_names(rows(), progress)?;
    let edges = page_edges(rows(), &names, progress)?;
    Ok(PageGraph { names, edges })
}

fn page_names(
    rows: impl Iterator<Item = Result<PageLinks, StoreError>>,
    progress: &dyn Fn(RankingStage),
) -> Result<NodeNames, RankError> {
    let mut names = NodeNamesBuilder::new();
    for (count, row) in (1..).zip(rows) {
        let row = row?;
        names.insert(Surt::from(&row.url).as_bytes());
        let canonical = honoured_canonical(&row).into_iter();
        for target in row.links.iter().map(|link| &link.target).chain(canonical) {
            names.insert(Surt::from(target).as_bytes());
        }
        if count % REPORT_EVERY == 0 {
            progress(RankingStage::Naming { pages: count });
        }
    }
    Ok(names.finish()?)
}

fn page_edges(
    rows: impl Iterator<Item = Result<PageLinks, StoreError>>,
    names: &NodeNames,
    progress: &dyn Fn(RankingStage),
) -> Result<Csr, RankError> {
    let node = |url: &CanonicalUrl| {
        names.find(Surt::from(url).as_bytes()).ok_or_else(|| RankError::unnamed(url.as_str().as_bytes()))
    };
    let mut edges = CsrBuilder::new(names.len());
    let mut targets = Vec::new();
    for (count, row) in (1..).zip(rows) {
        let row = row?;
        targets.clear();
        for target in passes_to(&row) {
            targets.push(node(target)?);
        }
        edges.push_row(node(&row.url)?, &mut targets)?;
        if count % REPORT_EVERY == 0 {
            progress(RankingStage::Linking { pages: count });
        }
    }
    Ok(edges.finish())
}

/// The URLs that a page passes its rank to. A URL may occur several times.
fn passes_to(row: &PageLinks) -> Vec<&CanonicalUrl> {
    match honoured_canonical(row) {
        Some(canonical) => vec![canonical],
        None => row.links.iter().filter(|link| !link.rel.is_nofollow()).map(|link| &link.target).collect(),
    }
}

fn honoured_canonical(row: &PageLinks) -> Option<&CanonicalUrl> {
    row.page.honoured_canonical(&row.url, &row.links)
}
