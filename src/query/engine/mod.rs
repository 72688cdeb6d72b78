//! The query engine: columnar tables that are filtered, ordered, grouped and paged. It does not read the
//! store.

pub mod column;
pub mod derived;
pub mod dictionary;
pub mod expression;
pub mod fields;
pub mod filter;
pub mod listing;
pub mod order;
pub mod page;
pub mod page_state;
pub mod row_set;
pub mod table;
pub mod view;
