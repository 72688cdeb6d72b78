//! Black-box tests of the command line: the program itself runs against a small web.

pub mod process;

mod changing;
mod crawling;
mod daemon;
mod damaged;
mod demo_page;
mod explaining;
mod failing;
mod former_formats;
mod full_disk;
mod golden;
mod logging;
mod private;
mod robots;
mod seeding;
mod serving;
mod steering;
mod usage;
mod verifying;
