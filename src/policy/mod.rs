//! Which URLs may be fetched, and when. No clock is read; the only I/O is reading the lists of the operator.
//!
//! | question | answer |
//! |---|---|
//! | where does the crawl start? | [`read_seed_file`] |
//! | is a discovered URL queued? | [`AdmissionRules`]: domains of the seeds, [`BlockList`], [`TrapRules`], depth |
//! | may a host have a new page? | [`BudgetStatus`] |
//! | when is a host asked again after failures? | [`backoff_end`] |
//! | when is a page visited again? | [`RevisitRules`] |
//! | is there space for pages? | [`LowDisk`] |
//!
//! Each rule that is against a URL gives a [`Reason`].

mod backoff;
mod block_list;
mod budget;
mod disk;
mod list_line;
mod queue_rules;
mod reason;
mod revisit;
mod seed_file;
mod traps;

pub use backoff::{backoff_end, max_stored_backoff};
pub use block_list::{BlockList, BlockListError, BlockedName};
pub use budget::{BudgetCounts, BudgetStatus};
pub use disk::LowDisk;
pub use list_line::strip_bom;
pub use queue_rules::{AdmissionRules, SeedDomains};
pub use reason::{Reason, RobotsRefusal};
pub use revisit::{Change, RevisitRules, VisitTimes};
pub use seed_file::{BadSeedLine, SeedLineError, parse_seed_line, read_seed_file};
pub use traps::{Trap, TrapRules};
