//! Output to the terminal: results, messages, progress and the log.

pub(super) mod console;
pub(super) mod failure_table;
pub(super) mod log;
pub(super) mod numbers;
pub(super) mod password;
pub(super) mod progress;
