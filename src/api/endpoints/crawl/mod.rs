//! The endpoints about the crawl of this process: what it does, and the controls of an operator.
//!
//! The controls take POST with a JSON body, need the role `operate`, and answer 202: the crawl applies them within a
//! second. In a process without a crawl they get 409. The body is JSON also where it is empty (`{}`), because a page of
//! another site cannot send that.

pub mod blocks;
pub mod errors;
pub mod hosts;
pub mod pause;
pub mod rank;
pub mod recrawl;
pub mod resume;
pub mod seeds;
pub mod status;

mod controls;
mod lists;
