//! What the process shares with the operating system: signals, the PID file and the limit of open files.

pub mod pid_file;
pub mod reload;
pub mod rlimit;
pub mod signals;
