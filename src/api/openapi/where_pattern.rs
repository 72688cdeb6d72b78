//! A regular expression (ECMA-262) for the values of `where` that a listing accepts.
//!
//! It omits other accepted spellings, such as typographic quotes and operators in another case, because the document
//! shows the usual one.

use crate::query::{Kind, Listing};

const TEXT: &str = "'[A-Za-z0-9 .:/%_-]{0,40}'";

/// Returns the regular expression.
pub(super) fn pattern(listing: &Listing) -> String {
    let conditions =
        listing.filter_fields().map(|(name, kind)| format!("{} ({})", name.replace('-', "\\-"), tests(kind)));
    let condition = format!("({})", conditions.collect::<Vec<_>>().join("|"));
    format!("^({condition}( AND {condition}){{0,4}})?$")
}

/// Returns the operators and values of a field.
fn tests(kind: Kind) -> String {
    let value = match kind {
        Kind::Number | Kind::Hundredths | Kind::TenThousandths => "[0-9]{1,4}",
        Kind::Flag => return "(eq|ne) (true|false)".to_owned(),
        Kind::Day | Kind::DayNumber => "(19[7-9][0-9]|20[0-9]{2})(0[1-9]|1[0-2])(0[1-9]|1[0-9]|2[0-8])",
        Kind::Text => {
            return format!("(eq|ne|lt|le|gt|ge|like|notlike) {TEXT}|in \\({TEXT}(,{TEXT}){{0,4}}\\)");
        }
        Kind::Address => "'[1-9][0-9]?(\\.[1-9][0-9]?){3}'",
    };
    format!("(eq|ne|lt|le|gt|ge) {value}|in \\({value}(,{value}){{0,4}}\\)")
}
