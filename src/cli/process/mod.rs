//! What the process shares with the operating system: signals, the PID file, the port of the API and the limit of open
//! files.

pub(super) mod crawl_steering;
pub(super) mod health;
pub(super) mod holder;
pub(super) mod listening_port;
pub(super) mod maintenance;
pub(super) mod pid_file;
pub(super) mod reload;
pub(super) mod rlimit;
pub(super) mod signals;
