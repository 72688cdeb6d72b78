//! What the process shares with the operating system: signals, the PID file, the port of the API and the limit of open
//! files.

pub mod listening_port;
pub mod pid_file;
pub mod reload;
pub mod rlimit;
pub mod signals;
