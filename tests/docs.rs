//! The pages in `src/docs`: every command on them runs, in order, and prints what the page shows.
//!
//! A page runs in an empty home directory, with the program of this build on `PATH`. Only loopback is reached: the
//! sites of a crawl are those of a small web (`docs/web.rs`), and questions go to a demo. Port 8080 is replaced by a free
//! one. Comments of the form `<!-- test: … -->` in a page say what a reader does without being told:
//!
//! | comment | meaning |
//! |---|---|
//! | `web`, `demo` | the page needs the small web, or a running demo |
//! | `background` | the next block runs until the end of the page |
//! | `input TEXT` | the next block reads this line |
//! | `varies` | the figures that the next block prints depend on the moment |
//! | `skip REASON` | the next block cannot run; the reason is printed |
//! | `calls` | the next table has a command in each row; see `docs/calls.rs` |

mod calls;
mod page;
mod prose;
mod run;
mod served;
mod shown;
mod web;

use std::path::{Path, PathBuf};

use page::Page;
use run::Session;

/// Pages that run with a demo, one after the other, and so share one.
const WITH_DEMO: [&str; 9] = [
    "agents.md",
    "query.md",
    "tables.md",
    "figures.md",
    "size.md",
    "move/ahrefs.md",
    "move/majestic.md",
    "move/dataforseo.md",
    "move/semrush.md",
];

/// Pages that run with the small web.
const WITH_WEB: [&str; 3] = ["crawl.md", "daemon.md", "backup.md"];

/// Pages without a command.
const READ_ONLY: [&str; 2] = ["README.md", "limits.md"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/docs")
}

/// Whether bash and curl are there, which every page needs.
fn can_run() -> bool {
    let lacking = ["bash", "curl"].into_iter().find(|name| !run::starts(name, &["--version"]));
    if let Some(name) = lacking {
        eprintln!("SKIPPED: there is no {name}");
    }
    lacking.is_none()
}

#[test]
fn the_first_page_does_what_it_shows() {
    if can_run() {
        Session::new().run(&Page::read("start.md"));
    }
}

#[test]
fn pages_about_the_demo_do_what_they_show() {
    if !can_run() {
        return;
    }
    let session = Session::new().with_demo();
    for name in WITH_DEMO {
        let page = Page::read(name);
        assert_eq!(page.needs.as_deref(), Some("demo"), "{name}");
        session.run(&page);
        calls::run(&page, &session);
    }
    served::check(session.address);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_about_a_crawl_do_what_they_show() {
    if !can_run() {
        return;
    }
    let web = web::small().start().await;
    for name in WITH_WEB {
        let page = Page::read(name);
        assert_eq!(page.needs.as_deref(), Some("web"), "{name}");
        Session::new().with_web(&web).run(&page);
    }
}

#[test]
fn every_page_is_run() {
    let mut known: Vec<&str> = [&["start.md"][..], &WITH_DEMO, &WITH_WEB, &READ_ONLY].concat();
    known.sort_unstable();
    assert_eq!(prose::files(), known);
    for name in READ_ONLY {
        assert!(Page::read(name).blocks.is_empty(), "{name}");
    }
}
