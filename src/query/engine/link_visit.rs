//! What the last visits to the page of a link found: why a lost link is not there, and whether an active link is
//! confirmed.
//!
//! The store keeps the status of the last response, and the content of the last response that determined the links. Only
//! a successful response is parsed as HTML, so a page with HTML exists. Otherwise a later error replaces the status, and
//! the reason is unknown. It is unknown after a challenge too, because a challenge can have a status of success.

use std::borrow::Cow;

use super::column::{Column, ValueType};
use crate::model::{FailureKind, LinkTag, PageOutcome};
use crate::query::{Deadline, QueryError};

/// A part of what the visits found, for a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VisitPart {
    /// Why a lost link is not there; empty for an active link, and if it is unknown.
    Reason,
    /// The last day on which a visit is known to have found the link.
    Confirmed,
    /// Why later visits did not settle whether an active link is there; empty if they did.
    Doubt,
}

/// The columns of links that decide about their visits.
pub(in crate::query) struct LinkDays {
    pub active: Column,
    /// The day of the last conclusive response of the page.
    pub updated: Column,
    /// The day on which the link came: the first time, or back.
    pub arrived: Column,
}

impl VisitPart {
    pub fn value_type(self) -> ValueType {
        match self {
            Self::Reason | Self::Doubt => ValueType::Text,
            Self::Confirmed => ValueType::Day,
        }
    }

    /// The column of links. `page_of` has the index in `outcomes` of each link's page.
    pub(in crate::query) fn column(
        self,
        outcomes: &[PageOutcome],
        page_of: &[u32],
        links: &LinkDays,
        deadline: &Deadline,
    ) -> Result<Column, QueryError> {
        let LinkDays { active, updated, arrived } = links;
        let is_active = |row: usize| active.cell(row) != 0;
        // Whether the last settled answer may have ended before the link.
        let is_beyond =
            |row: usize, page: &PageOutcome| page.html && page.cut && arrived.cell(row) < updated.cell(row);
        match self {
            Self::Reason => {
                let reasons: Vec<&str> = outcomes.iter().map(reason).collect();
                let shown = |(row, &page): (usize, &u32)| {
                    if is_active(row) { "" } else { reasons[page as usize] }
                };
                Column::from_texts(page_of.iter().enumerate().map(shown), deadline)
            }
            Self::Doubt => {
                let doubts: Vec<Cow<'_, str>> = outcomes.iter().map(doubt).collect();
                let shown = |(row, &page): (usize, &u32)| match &*doubts[page as usize] {
                    _ if !is_active(row) => "",
                    "" if is_beyond(row, &outcomes[page as usize]) => "cut",
                    doubt => doubt,
                };
                Column::from_texts(page_of.iter().enumerate().map(shown), deadline)
            }
            Self::Confirmed => {
                let mut cells = Vec::with_capacity(page_of.len());
                for (row, &page) in page_of.iter().enumerate() {
                    deadline.check_at(row)?;
                    let is_seen = is_active(row) && !is_beyond(row, &outcomes[page as usize]);
                    cells.push(if is_seen { updated.cell(row) } else { arrived.cell(row) });
                }
                Ok(updated.with_cells(cells))
            }
        }
    }
}

/// Why a link that a page had is not there.
fn reason(page: &PageOutcome) -> &'static str {
    let is_challenge = page.last_failure == FailureKind::Challenge.code();
    // A failed visit leaves the status as it was.
    let is_settled = page.failures == 0 || (page.failures == 1 && page.last_failure != 0 && !is_challenge);
    match page.status {
        _ if page.html => "removed",
        _ if is_challenge => "",
        404 | 410 => "gone",
        status if LinkTag::from_redirect_status(status).is_some() => "redirected",
        200 | 201 | 203 if is_settled => "not-html",
        _ => "",
    }
}

/// Why the last visit to a page did not settle its links.
fn doubt(page: &PageOutcome) -> Cow<'static, str> {
    match (page.failures, page.last_failure) {
        (0, _) => "".into(),
        (_, 0) => format!("status-{}", page.status).into(),
        (_, failure) => FailureKind::from_code(failure).map_or("unknown", FailureKind::as_str).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_settled_answer_gives_the_reason() {
        let (dns, wall) = (FailureKind::Dns.code(), FailureKind::Challenge.code());
        for (status, html, failures, last_failure, reason, doubt) in [
            (200, true, 0, 0, "removed", ""),
            (503, true, 1, 0, "removed", "status-503"),
            (404, true, 3, wall, "removed", "challenge"),
            (404, false, 0, 0, "gone", ""),
            (410, false, 9, dns, "gone", "dns"),
            (301, false, 0, 0, "redirected", ""),
            (308, false, 1, dns, "redirected", "dns"),
            (200, false, 0, 0, "not-html", ""),
            (200, false, 1, dns, "not-html", "dns"),
            // One of the two visits can have been a challenge in the place of a missing page.
            (200, false, 2, dns, "", "dns"),
            (200, false, 1, wall, "", "challenge"),
            (503, false, 1, 0, "", "status-503"),
            (403, false, 2, 250, "", "unknown"),
        ] {
            let page = PageOutcome { status, last_failure, failures, html, cut: false };
            assert_eq!((super::reason(&page), &*super::doubt(&page)), (reason, doubt), "{page:?}");
        }
    }
}
