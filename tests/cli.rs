//! Black-box tests of the command line: the program itself runs against a small web.

pub mod process;

mod changing;
mod configuring;
mod crawling;
mod daemon;
mod damaged;
mod demo_page;
mod doctoring;
mod explaining;
mod failing;
mod former_formats;
mod full_disk;
mod golden;
mod logging;
mod pinging;
mod private;
mod robots;
mod seeding;
mod service;
mod serving;
mod steering;
mod trying;
mod usage;
mod user_file;
mod verifying;
