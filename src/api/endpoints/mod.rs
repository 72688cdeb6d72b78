//! The endpoints, one file each: a declaration and, if it is not a list, a short handler. `MEANINGS` in
//! `api/openapi/columns.rs` has the meaning of each column.

/// Concatenates two constant lists of a type.
macro_rules! join {
    ($item:ty, $first:expr, $second:expr $(,)?) => {{
        const FIRST: &[$item] = $first;
        const SECOND: &[$item] = $second;
        const BOTH: [$item; FIRST.len() + SECOND.len()] = $crate::api::endpoints::concatenate(FIRST, SECOND);
        &BOTH
    }};
}

pub mod anabacklinks;
pub mod anaurls;
pub mod backlinks;
pub mod backlinks_histogram;
pub mod backlinkshort;
pub mod bestpages;
pub mod brokenbacklinks;
mod calendar;
pub mod competitors;
pub mod crawl;
pub mod domainpopularity;
pub mod domains;
pub mod edugovlinks;
pub mod explain;
pub mod exportbacklinks;
pub mod exportpages;
pub mod geolocationshort;
pub mod health;
pub mod history;
pub mod host;
pub mod httpstatus;
pub mod iplist;
pub mod ippopularity;
pub mod iscached;
pub mod linkedpages;
pub mod linkintersect;
pub mod linkratio;
pub mod linkspread;
pub mod linktextdistribution;
pub mod linktexts;
pub mod linktypes;
pub mod lostbacklinks;
pub mod lostdomains;
pub mod neighbourhood;
pub mod newandlost_histogram;
pub mod newbacklinks;
pub mod newdomains;
pub mod openapi;
pub mod outgoinghosts;
pub mod outgoinglinkcount;
pub mod outgoinglinks;
pub mod outgoinglinktexts;
pub mod outgoingtoppages;
pub mod pagedistribution;
pub mod redirectchain;
pub mod referringdomains;
pub mod root;
pub mod session;
pub mod sr;
pub mod srspread;
pub mod stats;
pub mod suggest;
pub mod summary;
pub mod tagtypes;
pub mod tldlist;
mod urls;

use crate::query::{ColumnExpr, ListColumn};

/// Declares a column of a list.
const fn column(name: &'static str, from: ColumnExpr) -> ListColumn {
    ListColumn { name, from }
}

/// Concatenates two lists. `LEN` is the sum of their lengths.
const fn concatenate<T: Copy, const LEN: usize>(first: &[T], second: &[T]) -> [T; LEN] {
    assert!(first.len() + second.len() == LEN);
    let mut both = [first[0]; LEN];
    let mut at = 1;
    while at < LEN {
        both[at] = if at < first.len() { first[at] } else { second[at - first.len()] };
        at += 1;
    }
    both
}

/// Declares a column that shows the field of the same name.
const fn field_column(name: &'static str) -> ListColumn {
    column(name, ColumnExpr::Field(name))
}
