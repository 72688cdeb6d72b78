//! Pages of a scope that responded at least once.

use super::{Field, Read, RowType, field};
use crate::model::StoredPage;
use crate::urls::CanonicalUrl;

/// Rows of [`AnsweredPage`].
pub(crate) struct Pages;

impl RowType for Pages {
    type Row<'a> = AnsweredPage;
}

/// A page that responded at least once.
#[derive(Clone, Debug)]
pub struct AnsweredPage {
    pub url: CanonicalUrl,
    pub stored: StoredPage,
}

/// The fields of a page.
pub(crate) static PAGE_FIELDS: &[Field<Pages>] =
    &[field("code", Read::Number(|page| u32::from(page.stored.facts.status)))];
