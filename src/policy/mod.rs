//! Which URLs may be fetched at all, and when a page is visited again. Pure: no I/O but for block lists, no clock.
//!
//! Before a URL is queued, [`BlockList`] excludes hosts that the operator blocks, and [`TrapRules`] exclude URLs that
//! sites generate without end. After a visit, [`RecrawlRules`] give the time of the next one.

mod block_list;
mod recrawl;
mod traps;

pub use block_list::{BlockList, BlockListError, BlockedName};
pub use recrawl::{Change, RecrawlRules, due_visit};
pub use traps::{Trap, TrapRules};
