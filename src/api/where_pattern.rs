//! The texts of `where` that a listing takes, as a regular expression (ECMA-262): what the document says of them.
//!
//! It leaves out spellings that are taken as well, such as typographic quotes and operators in other cases, since
//! the document is to show how it is written.

use crate::query::{Kind, Listing, QueryError};

const TEXT: &str = "'[A-Za-z0-9 .:/%_-]{0,40}'";

/// # Errors
/// [`QueryError::Declaration`] where the listing contradicts itself.
pub fn pattern(listing: &Listing) -> Result<String, QueryError> {
    let conditions = listing
        .where_fields
        .iter()
        .map(|name| {
            let kind = listing.kind(listing.column(name)?)?;
            let name = name.replace('-', "\\-");
            Ok(format!("{name} ({})", tests(kind)))
        })
        .collect::<Result<Vec<_>, QueryError>>()?;
    let condition = format!("({})", conditions.join("|"));
    Ok(format!("^({condition}( AND {condition}){{0,4}})?$"))
}

/// Operators and values of a field.
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
