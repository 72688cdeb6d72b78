//! What the process shares with the operating system: signals, the PID file, the port of the API and the limit of open
//! files. Also the messages to the service manager, and the file of users.

pub(super) mod crawl_steering;
pub(super) mod health;
pub(super) mod holder;
pub(super) mod listening_port;
pub(super) mod maintenance;
pub(super) mod pid_file;
pub(super) mod reload;
pub(super) mod rlimit;
pub(super) mod service;
pub(super) mod signals;
pub(super) mod user_file;
