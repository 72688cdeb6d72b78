//! A regular expression (ECMA-262) for the values of `where` that a listing accepts.
//!
//! It omits other accepted spellings, such as typographic quotes and operators in another case, because the document
//! shows the usual one.

use crate::query::{Kind, Listing, QueryError};

const TEXT: &str = "'[A-Za-z0-9 .:/%_-]{0,40}'";

/// Returns the regular expression.
///
/// # Errors
/// [`QueryError::Declaration`] if the listing is inconsistent.
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
