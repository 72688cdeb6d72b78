//! The web that the pages crawl: sixteen URLs of example.com, and a page of www.example.org that eleven of them link to.

use crate::support::fake_web::{FakeWeb, Reply};

/// A page of example.com, to which http redirects.
fn secure(web: FakeWeb, path: &str, reply: Reply) -> FakeWeb {
    web.answer("example.com", path, move |request| match request.tls {
        true => reply.clone(),
        false => Reply::redirect(301, &format!("https://example.com{}", request.path)),
    })
}

pub fn small() -> FakeWeb {
    let mut web = FakeWeb::new().with_tls();
    let docs = "<a href=https://www.example.org/docs/>the docs</a>";
    let listed: String = (1..12).map(|number| format!("<a href=/{number}>{number}</a>")).collect();
    web = secure(web, "/robots.txt", Reply::text("User-agent: *\nDisallow: /secret/\n"));
    web = secure(
        web,
        "/",
        Reply::html(&format!("<a href=/links>links</a><a href=/secret/plan>plan</a>{listed}")),
    );
    web = secure(web, "/links", Reply::html(docs));
    for number in 1..12 {
        web = secure(web, &format!("/{number}"), Reply::html(&format!("<a href=/links>links</a>{docs}")));
    }
    web.page("www.example.org", "/docs/", Reply::html("<title>The docs</title>"))
}
