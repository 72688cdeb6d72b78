//! The page graph: what the stored pages say, as nodes and edges.
//!
//! Nodes are all pages known: every visited page, every target of an active link, followed or not, and every
//! canonical URL that is honoured. An edge leads from a page to each distinct URL that it passes rank to:
//!
//! - a page that answered with a redirect: to the redirect's target;
//! - a page whose canonical names another URL: to that URL alone, its links pass nothing;
//! - any other page: to the targets of its followed links, internal and external, each once. A link is
//!   followed unless it is nofollow, be it by its own `rel` or by its page's robots directives.
//!
//! A page that was found gone (404, 410) has no say in its canonical, as it has no active links. A link from
//! a page to itself is kept. A page that passes rank to nobody is dangling.
//!
//! Rows are read twice, once for the names and once for the edges, and none is kept. Memory: see
//! [`crate::graph`]; a name is a sortable URL, some 70 bytes.

use crate::graph::{Csr, CsrBuilder, NodeNames, NodeNamesBuilder};
use crate::store::{PageLinks, StoreError};
use crate::urls::{CanonicalUrl, Surt};

use super::{Progress, RankError};

/// Pages between two reports of progress.
const REPORT_EVERY: u64 = 1 << 14;

/// The pages of an index: their sortable URLs, in key order, and their edges.
pub(super) struct PageGraph {
    pub names: NodeNames,
    pub edges: Csr,
}

/// Reads the rows, in key order of their pages, twice; `rows` must give the same ones each time.
pub(super) fn page_graph<R>(rows: impl Fn() -> R, progress: &dyn Fn(Progress)) -> Result<PageGraph, RankError>
where
    R: Iterator<Item = Result<PageLinks, StoreError>>,
{
    let names = page_names(rows(), progress)?;
    let edges = page_edges(rows(), &names, progress)?;
    Ok(PageGraph { names, edges })
}

fn page_names(
    rows: impl Iterator<Item = Result<PageLinks, StoreError>>,
    progress: &dyn Fn(Progress),
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
            progress(Progress::Naming { pages: count });
        }
    }
    Ok(names.finish()?)
}

fn page_edges(
    rows: impl Iterator<Item = Result<PageLinks, StoreError>>,
    names: &NodeNames,
    progress: &dyn Fn(Progress),
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
            progress(Progress::Linking { pages: count });
        }
    }
    Ok(edges.finish())
}

/// The URLs a page passes its rank to; one may come more than once.
fn passes_to(row: &PageLinks) -> Vec<&CanonicalUrl> {
    match honoured_canonical(row) {
        Some(canonical) => vec![canonical],
        None => row.links.iter().filter(|link| !link.rel.is_nofollow()).map(|link| &link.target).collect(),
    }
}

fn honoured_canonical(row: &PageLinks) -> Option<&CanonicalUrl> {
    row.page.honoured_canonical(&row.url, &row.links)
}
