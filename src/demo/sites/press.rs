//! The newspaper, its blog, the radio station and the weather service.

use crate::demo::web::{Host, LONDON, MELBOURNE, SINGAPORE, a, element, host, page, redirect};
use crate::model::LinkTag::{Aimg, Iframe, Ilayer, Layer, Redirect301, Redirect308, Refresh};

pub(super) fn hosts() -> Vec<Host> {
    vec![observer(), bare_observer(), blog(), radio(), weather()]
}

fn observer() -> Host {
    host("www.observer.example", "observer.example", LONDON.at(10), "the newspaper")
        .forbid("/archive/")
        .top([
            a("/", "The Saltmere Observer"),
            a("/news/", "News"),
            a("/culture/", "Culture"),
            a("/about", "About us"),
        ])
        .bottom([a("//weather.example/saltmere", "Tides and weather")])
        .pages([
            page(
                "/",
                "The Saltmere Observer",
                "News from the harbour since 1874.",
                [
                    a("/news/tide-clock", "The tide clock strikes again"),
                    a("/news/ferry", "Night ferry from May"),
                    a("/news/lighthouse", "A lamp comes home"),
                    a("/culture/lantern-night", "Lantern Night is on"),
                    element(Aimg, "//lanterns.example/", "Lanterns & lamps, made in Saltmere")
                        .rel("sponsored"),
                    a("//blog.observer.example/", "The editors' blog"),
                    a("/archive/1998/", "Archive"),
                ],
            ),
            page(
                "/news/",
                "News – The Saltmere Observer",
                "All news of the month.",
                [
                    a("/news/tide-clock", "The tide clock strikes again"),
                    a("/news/ferry", "Night ferry from May"),
                    a("/news/lighthouse", "A lamp comes home"),
                    a("/news/harbour-fair", "Harbour fair"),
                ],
            ),
            page(
                "/news/tide-clock",
                "The tide clock strikes again",
                "After four years of repair the clock tells the tide.",
                [
                    a("//www.museum.example/tide-clock", "tide clock"),
                    element(Iframe, "//www.museum.example/", "The museum today"),
                    a("//www.example.edu/physics/tides", "research on tides"),
                    a("//mara.blogs.example/tide-clock", "Mara's photographs"),
                    a("/print/tide-clock", "To print"),
                ],
            ),
            page(
                "/print/tide-clock",
                "The tide clock strikes again",
                "The article for your printer.",
                [a("//www.museum.example/tide-clock", "tide clock")],
            )
            .copy_of("/news/tide-clock"),
            page(
                "/news/ferry",
                "Night ferry from May",
                "The last boat leaves at half past eleven.",
                [
                    a("//radio.example/shows/morning", "interview on Radio Saltmere"),
                    a("//weather.example/saltmere", "tide table"),
                    a("//short.example/ferry", "timetable"),
                ],
            ),
            page(
                "/news/lighthouse",
                "A lamp comes home",
                "The university gives the lamp of the old lighthouse back.",
                [
                    a("//www.example.edu/", "Saltmere University"),
                    a("//www.museum.example/collection/lamp", "the lamp"),
                    a("//wiki.example/lighthouse", "Saltmere lighthouse"),
                    a("//www.museum.example/", "Maritime Museum"),
                ],
            ),
            page(
                "/culture/",
                "Culture – The Saltmere Observer",
                "Books, lanterns, radio plays.",
                [
                    a("/culture/lantern-night", "Lantern Night is on"),
                    a("/culture/books", "Books by the harbour"),
                    a("/culture/radio-play", "A play for one foghorn"),
                ],
            ),
            page(
                "/culture/lantern-night",
                "Lantern Night is on",
                "Four thousand lights on the water.",
                [
                    a("//lanterns.example/paper-lantern", "paper lanterns").rel("sponsored"),
                    a("//www.museum.example/visit", "The museum stays open until midnight"),
                    element(Iframe, "//weather.example/map", "Weather map"),
                ],
            ),
            page(
                "/culture/books",
                "Books by the harbour",
                "A bookshop with a view.",
                [
                    a("//xn--bcher-kva.example/", "Bücher am Hafen"),
                    a("//library.example.edu/", "University Library"),
                ],
            ),
            page(
                "/culture/radio-play",
                "A play for one foghorn",
                "Tonight at nine.",
                [
                    a("//radio.example/", "Radio Saltmere"),
                    a("//radio.example/live", "Listen live").rel("noopener"),
                ],
            ),
            page(
                "/about",
                "About The Saltmere Observer",
                "Eleven people and a printing press.",
                [a("//wiki.example/observer", "Our history")],
            ),
        ])
}

fn bare_observer() -> Host {
    host("observer.example", "observer.example", LONDON.at(10), "the newspaper, without www").pages([
        redirect("/", Redirect301, "//www.observer.example/"),
        redirect("/news", Redirect308, "//www.observer.example/news/"),
    ])
}

fn blog() -> Host {
    host("blog.observer.example", "observer.example", LONDON.at(11), "the newspaper's blog")
        .top([a("/", "All posts")])
        .bottom([a("//www.observer.example/", "The Saltmere Observer")])
        .pages([
            page(
                "/",
                "The editors' blog",
                "What does not fit into print.",
                [
                    a("/how-we-print", "How we print"),
                    a("/corrections", "Corrections"),
                    a("/comments", "Comments of the week"),
                ],
            ),
            page(
                "/how-we-print",
                "How we print",
                "Ink, paper and a machine of 1931.",
                [
                    a("//www.museum.example/collection/press", "our first press"),
                    a("//www.observer.example/about", "the paper"),
                ],
            ),
            page(
                "/corrections",
                "Corrections",
                "The tide clock has twelve figures, not eleven.",
                [
                    a("//www.observer.example/news/tide-clock", "our report"),
                    a("//www.museum.example/tide-clock", "www.museum.example/tide-clock"),
                ],
            ),
            page(
                "/comments",
                "Comments of the week",
                "You wrote, we print.",
                [
                    a("//mara.blogs.example/", "Mara").rel("ugc"),
                    a("//lanterns.example/", "cheap lanterns").rel("ugc nofollow"),
                    a("//www.museum.example/visit", "opening hours").rel("ugc"),
                ],
            ),
        ])
}

fn radio() -> Host {
    host("radio.example", "radio.example", MELBOURNE.at(10), "the radio station")
        .top([
            a("/", "Radio Saltmere"),
            a("/shows/morning", "Morning"),
            a("/shows/night-ferry", "Night Ferry"),
        ])
        .pages([
            page(
                "/",
                "Radio Saltmere",
                "98.4 on the coast.",
                [
                    a("/live", "Listen live"),
                    a("/museum-hour", "The museum hour"),
                    a("/1998/", "Our first page"),
                    a("//www.observer.example/", "Headlines by the Observer"),
                ],
            ),
            page(
                "/shows/morning",
                "Morning",
                "With coffee, gulls and the harbour master.",
                [a("//weather.example/saltmere", "today's tides")],
            ),
            page(
                "/shows/night-ferry",
                "Night Ferry",
                "Songs for the last boat.",
                [
                    a("//jonas.blogs.example/ferry", "Jonas on the ferry"),
                    a("//forum.example/t/2-ferry", "talk about it"),
                ],
            ),
            page("/live", "Live", "The stream begins in a moment.", [element(Refresh, "/shows/morning", "")]),
            page(
                "/museum-hour",
                "The museum hour",
                "The museum hour has moved to the museum.",
                [element(Refresh, "//www.museum.example/", "")],
            ),
            page(
                "/1998/",
                "Welcome to our home page!!!",
                "Best viewed at 800 by 600.",
                [
                    element(Layer, "//www.museum.example/", "Museum"),
                    element(Ilayer, "//www.museum.example/visit", "Visit"),
                    element(Ilayer, "//weather.example/map", "Weather"),
                    a("//observer.example/", "The Observer is online!"),
                ],
            ),
        ])
}

fn weather() -> Host {
    host("weather.example", "weather.example", SINGAPORE.at(10), "tides and weather")
        .top([a("/", "Weather"), a("/saltmere", "Saltmere")])
        .pages([
            page("/", "Weather and tides", "For every harbour of the coast.", [a("/map", "Map")]),
            page(
                "/saltmere",
                "Tides and weather in Saltmere",
                "High water at 6:12 and 18:40.",
                [
                    a("/tides?day=today", "Today"),
                    a("/tides?day=tomorrow", "Tomorrow"),
                    a("//www.example.edu/physics/tides", "How we compute tides"),
                ],
            ),
            page(
                "/tides?day=today",
                "Tides today",
                "6:12 and 18:40.",
                [a("/tides?day=tomorrow", "Tomorrow")],
            ),
            page(
                "/tides?day=tomorrow",
                "Tides tomorrow",
                "7:01 and 19:28.",
                [a("/tides?day=today", "Today")],
            ),
            page("/map", "Weather map", "Wind from the west.", [element(Aimg, "/saltmere", "Saltmere")]),
        ])
}
