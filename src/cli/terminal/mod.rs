//! Output to the terminal: results, messages, progress and the log.

pub mod console;
pub mod failure_table;
pub mod log;
pub mod numbers;
pub mod password;
pub mod progress;
