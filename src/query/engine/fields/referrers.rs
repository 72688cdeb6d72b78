//! Referrers: domains that link to all of several targets.

use super::{Field, Read, RowType, field};

/// A domain that links to all targets.
#[derive(Clone, Debug)]
pub(crate) struct Referrer {
    pub domain: Box<str>,
    /// The number of its links to each target, in the order of the targets.
    pub links: Vec<u32>,
    pub sum: u32,
}

/// Rows of [`Referrer`].
pub(crate) struct Referrers;

impl RowType for Referrers {
    type Row<'a> = Referrer;
}

fn links_to(row: &Referrer, target: usize) -> u32 {
    row.links.get(target - 1).copied().unwrap_or(0)
}

/// Declares the names of the columns that count the links to each target, and the fields of a referrer.
macro_rules! per_target {
    ($($number:literal)*) => {
        /// The names of the fields that count the links to the first target, the second, and so on.
        pub const LINKS_TO_TARGET: [&str; MAX_TARGETS] = [$(concat!("links", $number)),*];

        /// The fields of a referrer: `links` counts its links to all targets, `links1` and so on those to
        /// each.
        pub(in crate::query) static REFERRER_FIELDS: &[Field<Referrers>] = &[
            field("domain", Read::Text(|row, _| &row.domain)),
            field("links", Read::Number(|row| row.sum)),
            $(field(concat!("links", $number), Read::Number(|row| links_to(row, $number)))),*
        ];
    };
}

/// The maximum number of targets: each has a field of its own.
pub const MAX_TARGETS: usize = 20;

per_target!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20);
