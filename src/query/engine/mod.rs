//! The query engine: columnar tables that are filtered, ordered, grouped and paged. It does not read the
//! store.

pub(super) mod column;
pub(super) mod derived;
pub(super) mod dictionary;
pub(super) mod expression;
pub(super) mod facet;
pub(super) mod fields;
pub(super) mod filter;
pub(super) mod link_visit;
pub(super) mod listing;
pub(super) mod order;
pub(super) mod page_state;
pub(super) mod row_page;
pub(super) mod row_set;
pub(super) mod table;
pub(super) mod view;
