//! Visits that are older than what the index has of their page, as archives bring them.
//!
//! The index keeps intervals of links, not visits. A visit that is older than the last one changes the intervals in a
//! way that they alone do not show. So a page that was imported keeps its visits (the row of [`PageHistory`]), and an
//! older visit replays all of them in order of time, from nothing ([`ReplayedPage`]). What differs from the stored rows is
//! written. So any order of imports gives the index that the same visits in order give.
//!
//! - The visits of a page are a set: the same visit twice counts once. Visits of one second are in the order of their
//!   bytes.
//! - A page with one visit has it in its page and links alone. Its row is a mark of one byte.
//! - The crawler keeps no visits. They are derived from the intervals that it left ([`derived_visits`]) when the next
//!   import needs them.
//! - The number of visits is limited. The oldest half and the newest half are kept, whatever their order of arrival.
//!
//! [`PageHistory`]: page_history::PageHistory
//! [`ReplayedPage`]: replayed_page::ReplayedPage
//! [`derived_visits`]: intervals::derived_visits

pub(in crate::store) mod import;
pub(in crate::store) mod intervals;
pub(in crate::store) mod page_history;
pub(in crate::store) mod past_visit;
pub(in crate::store) mod replayed_page;
