//! Bloggers, shops, the forum, a link directory and a URL shortener.

use crate::demo::web::{
    Host, LINKOEPING, LONDON, MELBOURNE, NofollowIn, SAN_DIEGO, SINGAPORE, a, element, host, page, redirect,
};
use crate::model::LinkTag::{Aimg, Iframe, Redirect301, Redirect302, Redirect303, Redirect307, Redirect308};

pub(super) fn hosts() -> Vec<Host> {
    vec![mara(), jonas(), lanterns(), bookshop(), forum(), directory(), shortener()]
}

fn mara() -> Host {
    host("mara.blogs.example", "blogs.example", SAN_DIEGO.at(10), "a photographer's blog")
        .top([a("/", "Mara takes pictures"), a("/about", "About me")])
        .bottom([
            a("//jonas.blogs.example/", "Jonas writes"),
            a("//www.museum.example/", "My favourite place"),
        ])
        .pages([
            page(
                "/",
                "Mara takes pictures",
                "Of the sea, mostly.",
                [
                    a("/tide-clock", "The tide clock"),
                    a("/lantern-night", "Lantern Night"),
                    a("/lamp", "The lamp"),
                ],
            ),
            page(
                "/tide-clock",
                "The tide clock",
                "I was allowed to climb inside.",
                [
                    element(Aimg, "//www.museum.example/tide-clock", "Inside the tide clock"),
                    a("//short.example/clock", "more at the museum"),
                ],
            ),
            page(
                "/lantern-night",
                "Lantern Night",
                "Long exposure, cold fingers.",
                [
                    element(Aimg, "//lanterns.example/paper-lantern", "A paper lantern"),
                    a("//wiki.example/lantern-night", "What is Lantern Night?"),
                ],
            ),
            page(
                "/lamp",
                "The lamp",
                "It still works.",
                [
                    element(Iframe, "//www.museum.example/collection/lamp", "The lamp"),
                    a("//short.example/lamp", "The lamp"),
                ],
            ),
            page(
                "/about",
                "About me",
                "I live in Saltmere.",
                [a("//www.observer.example/", "I work for the Observer")],
            ),
        ])
}

fn jonas() -> Host {
    host("jonas.blogs.example", "blogs.example", SAN_DIEGO.at(11), "a commuter's blog")
        .top([a("/", "Jonas writes")])
        .bottom([a("//mara.blogs.example/", "Mara takes pictures")])
        .pages([
            page(
                "/",
                "Jonas writes",
                "On the ferry, every day.",
                [a("/ferry", "The ferry"), a("/books", "What I read")],
            ),
            page(
                "/ferry",
                "The ferry",
                "Seventeen minutes, if the tide allows.",
                [
                    a("//www.observer.example/news/ferry", "night ferry"),
                    a("//radio.example/shows/night-ferry", "my favourite show"),
                    a("//www.museum.example/tide-clock", "tide clock"),
                ],
            ),
            page(
                "/books",
                "What I read",
                "Three books about the sea.",
                [a("//short.example/books", "bought here"), a("//short.example/museum", "and here")],
            ),
        ])
}

fn lanterns() -> Host {
    host("lanterns.example", "lanterns.example", SAN_DIEGO.at(20), "a shop for lanterns")
        .top([a("/", "Saltmere Lanterns"), a("/catalogue", "Catalogue")])
        .pages([
            page(
                "/",
                "Saltmere Lanterns",
                "Light, by hand.",
                [
                    a("/sale", "Sale"),
                    a("//www.observer.example/culture/lantern-night", "As seen in the Observer"),
                ],
            ),
            page(
                "/catalogue",
                "Catalogue",
                "Paper or storm?",
                [
                    element(Aimg, "/paper-lantern", "Paper lantern"),
                    element(Aimg, "/storm-lantern", "Storm lantern"),
                ],
            ),
            page("/paper-lantern", "Paper lantern", "Floats for three hours.", []),
            page(
                "/storm-lantern",
                "Storm lantern",
                "Burns in any wind.",
                [a("//www.museum.example/collection/lamp", "after a famous lamp")],
            ),
            redirect("/sale", Redirect307, "/catalogue"),
            // Only the directory links to this page, with nofollow: the page is known, but never fetched.
            page("/clearance", "Clearance", "Everything must go.", []),
        ])
}

fn bookshop() -> Host {
    host("xn--bcher-kva.example", "xn--bcher-kva.example", LINKOEPING.at(20), "a bookshop with an umlaut")
        .shown_as("bücher.example")
        .top([a("/", "Bücher am Hafen")])
        .pages([
            page(
                "/",
                "Bücher am Hafen",
                "Bücher über das Meer.",
                [a("/seekarten", "Seekarten"), a("/leuchtturm", "Leuchttürme"), a("/lesung", "Lesung")],
            ),
            page(
                "/seekarten",
                "Seekarten",
                "Neun Blätter.",
                [a("//library.example.edu/catalogue/atlas", "Originale")],
            ),
            page(
                "/leuchtturm",
                "Leuchttürme",
                "Ein Bildband.",
                [
                    a("//mara.blogs.example/lamp", "Fotos: Mara"),
                    a("//www.museum.example/collection/lamp", "Lampe im Schiffahrtsmuseum"),
                ],
            ),
            page(
                "/lesung",
                "Lesung",
                "Jonas liest vor.",
                [a("//jonas.blogs.example/", "Jonas"), a("//radio.example/", "Radio Saltmere")],
            ),
        ])
}

fn forum() -> Host {
    host("forum.example", "forum.example", SINGAPORE.at(20), "the town's forum").top([a("/", "Forum")]).pages(
        [
            page(
                "/",
                "Saltmere Forum",
                "Be kind.",
                [
                    a("/t/1-tide-clock", "Have you heard the clock?"),
                    a("/t/2-ferry", "Night ferry"),
                    a("/t/3-lanterns", "Where to buy lanterns?"),
                ],
            ),
            page(
                "/t/1-tide-clock",
                "Have you heard the clock?",
                "Twelve replies.",
                [
                    a("//www.museum.example/tide-clock", "http://www.museum.example/tide-clock").rel("ugc"),
                    a("//mara.blogs.example/tide-clock", "nice pictures").rel("ugc"),
                ],
            ),
            page(
                "/t/2-ferry",
                "Night ferry",
                "Three replies.",
                [a("//www.observer.example/news/ferry", "Observer").rel("ugc")],
            ),
            page(
                "/t/3-lanterns",
                "Where to buy lanterns?",
                "Thirty replies, one useful.",
                [
                    a("//lanterns.example/", "here").rel("ugc"),
                    a("//shop.museum.example/lamp", "or this one").rel("ugc"),
                    a("//lanterns.example/", "CHEAP LANTERNS").rel("ugc sponsored"),
                ],
            ),
        ],
    )
}

fn directory() -> Host {
    host("links.example", "links.example", LONDON.at(30), "a link directory")
        .top([a("/", "Links A to Z")])
        .pages([
            page(
                "/",
                "Links A to Z",
                "All of Saltmere on one page.",
                [a("/harbour", "Harbour"), a("/shops", "Shops")],
            ),
            page(
                "/harbour",
                "Harbour",
                "Three links.",
                [
                    a("//www.museum.example/", "Maritime Museum"),
                    a("//weather.example/saltmere", "Tides"),
                    a("//radio.example/", "Radio"),
                ],
            ),
            page(
                "/shops",
                "Shops",
                "Paid entries.",
                [
                    a("//lanterns.example/clearance", "Lanterns").rel("sponsored"),
                    a("//shop.museum.example/", "Museum shop").rel("sponsored"),
                    a("//xn--bcher-kva.example/", "Bücher am Hafen"),
                ],
            )
            .nofollow(NofollowIn::Meta),
        ])
}

fn shortener() -> Host {
    host("short.example", "short.example", MELBOURNE.at(20), "a URL shortener").pages([
        redirect("/museum", Redirect301, "//www.museum.example/"),
        redirect("/ferry", Redirect302, "//www.museum.example/collection/ferry"),
        redirect("/lamp", Redirect303, "//www.museum.example/collection/lamp"),
        redirect("/books", Redirect307, "//shop.museum.example/postcards"),
        redirect("/clock", Redirect308, "//www.museum.example/tide-clock"),
    ])
}
