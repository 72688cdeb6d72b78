//! The museum, the university and the encyclopedia.

use crate::demo::web::{Host, LINKOEPING, LONDON, MILTON, NofollowIn, a, element, host, page};
use crate::model::LinkTag::{Aimg, Area, Frame, Iframe};

pub(super) fn hosts() -> Vec<Host> {
    vec![museum(), museum_shop(), university(), library(), wiki()]
}

fn museum() -> Host {
    host("www.museum.example", "museum.example", LINKOEPING.at(10), "the maritime museum")
        .top([a("/", "Maritime Museum"), a("/collection/", "Collection"), a("/visit", "Visit")])
        .bottom([a("//shop.museum.example/", "Museum shop")])
        .pages([
            page(
                "/",
                "Maritime Museum Saltmere",
                "Ships, lamps and a clock that tells the tide.",
                [
                    a("/tide-clock", "The tide clock"),
                    element(Aimg, "/collection/lamp", "Lamp of the lighthouse"),
                    a("/friends", "Friends of the museum"),
                ],
            ),
            page(
                "/tide-clock",
                "The tide clock",
                "Built in 1788, silent for four years, at work again.",
                [
                    a("//www.example.edu/physics/tides", "Department of Physics"),
                    a("//www.observer.example/news/tide-clock", "In the news"),
                    a("//weather.example/saltmere", "tides today"),
                ],
            ),
            page(
                "/collection/",
                "The collection",
                "Three rooms, four centuries.",
                [
                    element(Area, "/collection/lamp", "Room 1: the lamp"),
                    element(Area, "/collection/figurehead", "Room 2: the figurehead"),
                    element(Area, "/collection/sextant", "Room 3: the sextant"),
                ],
            ),
            page(
                "/collection/lamp",
                "Lamp of the lighthouse",
                "First lit in 1836.",
                [
                    a("//wiki.example/lighthouse", "The lighthouse"),
                    a("//shop.museum.example/lamp", "A small one for your table"),
                ],
            ),
            page(
                "/collection/figurehead",
                "The figurehead",
                "A mermaid who lost her ship.",
                [a("//library.example.edu/catalogue", "Literature")],
            ),
            page("/collection/sextant", "The sextant", "Made in London.", []),
            page(
                "/visit",
                "Visit",
                "Daily from ten to six. The way through the rooms:",
                [
                    a("/collection/lamp", "first the lamp"),
                    a("/collection/figurehead", "then the figurehead"),
                    a("/collection/sextant", "last the sextant"),
                    element(Iframe, "//weather.example/map", "Weather"),
                ],
            )
            .based_on("/collection/"),
            page(
                "/friends",
                "Friends of the museum",
                "They keep us afloat.",
                [
                    a("//lanterns.example/", "Saltmere Lanterns").rel("sponsored"),
                    a("//xn--bcher-kva.example/", "Bücher am Hafen").rel("sponsored nofollow"),
                ],
            ),
        ])
}

fn museum_shop() -> Host {
    host("shop.museum.example", "museum.example", LINKOEPING.at(11), "the museum's shop")
        .forbid("/basket")
        .top([a("/", "Shop"), a("/basket", "Basket")])
        .bottom([a("//www.museum.example/", "Maritime Museum"), a("//www.museum.example/visit", "Visit us")])
        .pages([
            page(
                "/",
                "Museum shop",
                "Take a piece of the sea home.",
                [element(Aimg, "/lamp", "Table lamp"), element(Aimg, "/postcards", "Postcards")],
            ),
            page(
                "/lamp",
                "Table lamp",
                "One to ten, with a candle.",
                [
                    element(Aimg, "//www.museum.example/collection/lamp", "The real one"),
                    a("//lanterns.example/storm-lantern", "made by Saltmere Lanterns"),
                ],
            ),
            page(
                "/postcards",
                "Postcards",
                "Twelve views of the harbour.",
                [
                    element(Aimg, "//www.museum.example/collection/figurehead", "The figurehead"),
                    element(Aimg, "//www.museum.example/collection/sextant", "The sextant"),
                ],
            ),
        ])
}

fn university() -> Host {
    host("www.example.edu", "example.edu", MILTON.at(10), "the university")
        .top([a("/", "Saltmere University"), a("/physics/", "Physics"), a("/history/", "History")])
        .bottom([a("//library.example.edu/", "Library")])
        .pages([
            page(
                "/",
                "Saltmere University",
                "Founded by sailors.",
                [
                    a("/news/lamp", "The lamp goes home"),
                    a("/people/lindqvist", "Prof. Lindqvist"),
                    a("/people/guests", "Guest book"),
                ],
            ),
            page(
                "/physics/",
                "Department of Physics",
                "Waves of all kinds.",
                [a("/physics/tides", "Tides"), a("/people/lindqvist", "Head: A. Lindqvist")],
            ),
            page(
                "/physics/tides",
                "Tides",
                "Why high water is late, and how late.",
                [
                    a("//www.museum.example/tide-clock", "the tide clock of 1788"),
                    a("//weather.example/", "data"),
                    a("//www.museum.example/tide-clock", "tide clock"),
                ],
            ),
            page(
                "/history/",
                "Department of History",
                "Of harbours, mostly.",
                [a("/history/harbour", "The old harbour")],
            ),
            page(
                "/history/harbour",
                "The old harbour",
                "A map to click on.",
                [
                    element(Area, "//www.museum.example/", "Maritime Museum"),
                    element(Area, "//wiki.example/lighthouse", "Lighthouse"),
                    element(Area, "//www.observer.example/", "Printing house"),
                ],
            ),
            page(
                "/news/lamp",
                "The lamp goes home",
                "After forty years in our cellar.",
                [
                    a("//www.museum.example/collection/lamp", "Maritime Museum"),
                    a("//www.observer.example/news/lighthouse", "The Saltmere Observer"),
                ],
            ),
            page(
                "/people/lindqvist",
                "A. Lindqvist",
                "Tides, clocks, sailing.",
                [a("//mara.blogs.example/tide-clock", "the clock in pictures")],
            ),
            page(
                "/people/guests",
                "Guest book",
                "Thank you for your visit.",
                [a("//www.museum.example/", "Museum"), a("//forum.example/", "Forum")],
            )
            .nofollow(NofollowIn::Header),
        ])
}

fn library() -> Host {
    host("library.example.edu", "example.edu", MILTON.at(11), "the university's library")
        .bottom([a("//www.example.edu/", "Saltmere University")])
        .pages([
            page(
                "/",
                "University Library",
                "Two hundred thousand volumes and a cat.",
                [a("/catalogue", "Catalogue"), a("//xn--bcher-kva.example/", "to buy: Bücher am Hafen")],
            ),
            page(
                "/catalogue",
                "Catalogue",
                "",
                [
                    element(Frame, "/catalogue/menu", "Menu"),
                    element(Frame, "//www.museum.example/collection/", "The museum's collection"),
                ],
            ),
            page("/catalogue/menu", "Menu", "Shelves A to Z.", [a("/catalogue/atlas", "Atlases")]),
            page(
                "/catalogue/atlas",
                "Atlases",
                "The coast in nine sheets.",
                [a("//xn--bcher-kva.example/seekarten", "reprints")],
            ),
        ])
}

fn wiki() -> Host {
    host("wiki.example", "wiki.example", LONDON.at(20), "the town's encyclopedia")
        .forbid("/edit/")
        .top([a("/", "Saltmere Wiki"), a("/edit/new", "New article")])
        .pages([
            page(
                "/",
                "Saltmere Wiki",
                "Everything about the town, by everybody.",
                [
                    a("/saltmere", "Saltmere"),
                    a("/lighthouse", "Lighthouse"),
                    a("/lantern-night", "Lantern Night"),
                    a("/ferry", "Ferry"),
                ],
            ),
            page(
                "/saltmere",
                "Saltmere",
                "A harbour town of 9,214 people.",
                [
                    a("/edit/saltmere", "edit"),
                    a("/observer", "newspaper"),
                    a("//www.example.edu/", "university").rel("nofollow"),
                    a("//www.museum.example/", "museum").rel("nofollow"),
                ],
            ),
            page(
                "/lighthouse",
                "Lighthouse",
                "Built in 1836, dark since 1984.",
                [
                    a("/edit/lighthouse", "edit"),
                    a("//www.museum.example/collection/lamp", "The lamp").rel("nofollow"),
                    a("//www.observer.example/news/lighthouse", "Observer").rel("nofollow"),
                ],
            ),
            page(
                "/lantern-night",
                "Lantern Night",
                "The longest night of the year, lit.",
                [
                    a("//lanterns.example/", "Saltmere Lanterns").rel("nofollow"),
                    a("//mara.blogs.example/lantern-night", "Pictures").rel("nofollow"),
                ],
            ),
            page(
                "/ferry",
                "Ferry",
                "Crosses the mouth of the river.",
                [
                    a("//jonas.blogs.example/ferry", "A passenger's notes").rel("nofollow"),
                    a("/lighthouse", "lighthouse"),
                ],
            ),
            page(
                "/observer",
                "The Saltmere Observer",
                "Newspaper, since 1874.",
                [
                    a("//observer.example/", "Website").rel("nofollow"),
                    a("//observer.example/news", "News").rel("nofollow"),
                ],
            ),
        ])
}
