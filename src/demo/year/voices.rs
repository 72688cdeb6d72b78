//! The words of the made-up sites: names, titles and anchor texts in seven languages.

use SiteGenre::{Blog, Directory, Forum, Museum, Newspaper, Observatory, Office, Shop, University};

/// The genre of a site. It decides the markup of its links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SiteGenre {
    Museum,
    Observatory,
    University,
    Office,
    Newspaper,
    Blog,
    Shop,
    Forum,
    Directory,
}

impl SiteGenre {
    /// The first segment of the paths of its pages.
    pub(super) fn folder(self) -> &'static str {
        match self {
            Self::Museum | Self::Observatory => "stories",
            Self::University => "research",
            Self::Office => "notices",
            Self::Newspaper => "news",
            Self::Blog => "blog",
            Self::Shop => "products",
            Self::Forum => "t",
            Self::Directory => "links",
        }
    }
}

/// A town with its name in domains.
pub(super) type Town = (&'static str, &'static str);

/// The location of servers: code and name of the country, city.
pub(super) type ServerTown = (&'static str, &'static str, &'static str);

/// The words of the sites in one language.
pub(super) struct Voice {
    /// Sites in this language, of 100.
    pub share: u32,
    pub towns: &'static [Town],
    /// The kinds of sites, each with its word in names and in domains.
    pub kinds: &'static [(SiteGenre, &'static str, &'static str)],
    /// Public suffixes of usual sites, of universities and of offices.
    pub endings: [&'static [&'static str]; 3],
    pub servers: &'static [ServerTown],
    /// Titles of pages, each with its word in paths.
    pub subjects: &'static [(&'static str, &'static str)],
    /// Targets on the hosts of the museum, each with an anchor text; the usual ones first.
    pub anchors: &'static [(&'static str, &'static str)],
}

pub(super) static VOICES: [Voice; 7] = [ENGLISH, GERMAN, FRENCH, SPANISH, SWEDISH, ARABIC, JAPANESE];

const ENGLISH: Voice = Voice {
    share: 46,
    towns: &[
        ("Kestrel Bay", "kestrelbay"),
        ("Northwick Sands", "northwicksands"),
        ("Harrowby Quay", "harrowbyquay"),
        ("Aldermouth", "aldermouth"),
        ("Gullhaven", "gullhaven"),
        ("Pellbridge", "pellbridge"),
        ("Fenmarrow", "fenmarrow"),
        ("Marlow Sound", "marlowsound"),
        ("Tidewell", "tidewell"),
        ("Saltmere", "saltmere"),
        ("Eastwhistle", "eastwhistle"),
        ("Cape Lantern", "capelantern"),
    ],
    kinds: &[
        (Blog, "Notebook", "notebook"),
        (Newspaper, "Gazette", "gazette"),
        (Blog, "Coast Walks", "coastwalks"),
        (Shop, "Outfitters", "outfitters"),
        (Newspaper, "Courier", "courier"),
        (Directory, "A to Z", "atoz"),
        (Forum, "Forum", "forum"),
        (Museum, "Museum", "museum"),
        (University, "University", "university"),
        (Observatory, "Observatory", "observatory"),
        (Office, "Harbour Office", "harbour"),
        (Blog, "Diaries", "diaries"),
        (Shop, "Chandlery", "chandlery"),
        (Office, "Coast Survey", "survey"),
    ],
    endings: [
        &["com", "org", "com", "net", "co.uk", "info", "com.au"],
        &["edu", "edu", "ac.uk", "edu.au"],
        &["gov", "gov.uk", "gov"],
    ],
    servers: &[
        ("US", "United States", "Boston"),
        ("GB", "United Kingdom", "London"),
        ("US", "United States", "San Diego"),
        ("GB", "United Kingdom", "Leeds"),
        ("CA", "Canada", "Halifax"),
        ("AU", "Australia", "Melbourne"),
        ("IE", "Ireland", "Dublin"),
    ],
    subjects: &[
        ("The clock that tells the tide", "tide-clock"),
        ("A weekend in Saltmere", "weekend"),
        ("Ten lighthouses worth the climb", "lighthouses"),
        ("Storms, and what they leave behind", "storms"),
        ("How sailors found their way", "navigation"),
        ("The lamp is lit again", "lamp"),
        ("Figureheads and their ships", "figureheads"),
        ("With children to the sea", "children"),
        ("What whales sing", "whales"),
        ("Lantern Night, a guide", "lantern-night"),
        ("A sextant under the hammer", "sextant"),
        ("Notes from the archive", "archive"),
    ],
    anchors: &[
        ("www.museum.example/", "Maritime Museum Saltmere"),
        ("www.museum.example/tide-clock", "the tide clock"),
        ("www.museum.example/", "museum.example"),
        ("www.museum.example/collection/lamp", "Lamp of the lighthouse"),
        ("www.museum.example/exhibitions/storm", "Storm! The exhibition"),
        ("www.museum.example/visit", "opening hours"),
        ("www.museum.example/", "here"),
        ("shop.museum.example/", "museum shop"),
        ("www.museum.example/collection/figurehead", "the figurehead"),
        ("www.museum.example/collection/", "collection"),
        ("www.museum.example/exhibitions/whales", "whale songs"),
        ("www.museum.example/tickets", "tickets"),
        ("shop.museum.example/lamp", "table lamp"),
        ("www.museum.example/collection/sextant", "sextant"),
        ("www.museum.example/old-map", "map of the harbour"),
        ("www.museum.example/friends", "friends of the museum"),
        ("www.museum.example/tide-clock", "read more"),
    ],
};

const GERMAN: Voice = Voice {
    share: 18,
    towns: &[
        ("Kappelsund", "kappelsund"),
        ("Nordersiel", "nordersiel"),
        ("Möwenort", "möwenort"),
        ("Salzhafen", "salzhafen"),
        ("Tidenburg", "tidenburg"),
        ("Leuchtenau", "leuchtenau"),
        ("Wattenstein", "wattenstein"),
    ],
    kinds: &[
        (Newspaper, "Anzeiger", "anzeiger"),
        (Blog, "Küstenblog", "kuestenblog"),
        (Museum, "Schiffahrtsmuseum", "schiffahrtsmuseum"),
        (Shop, "Seekartenhandlung", "seekarten"),
        (Observatory, "Sternwarte", "sternwarte"),
        (Newspaper, "Rundschau", "rundschau"),
        (Forum, "Seglerforum", "seglerforum"),
        (University, "Hochschule", "hochschule"),
    ],
    endings: [&["de", "de", "de", "at", "ch", "com"], &["de"], &["de"]],
    servers: &[
        ("DE", "Germany", "Hamburg"),
        ("DE", "Germany", "Falkenstein"),
        ("AT", "Austria", "Vienna"),
        ("CH", "Switzerland", "Zurich"),
    ],
    subjects: &[
        ("Die Uhr, die Ebbe und Flut kennt", "gezeitenuhr"),
        ("Wochenende am Meer", "wochenende"),
        ("Leuchttürme und ihre Lampen", "leuchttuerme"),
        ("Sturm! Eine Ausstellung", "sturm"),
        ("Mit Kindern ins Museum", "kinder"),
        ("Seekarten lesen", "seekarten"),
        ("Was Wale singen", "wale"),
    ],
    anchors: &[
        ("www.museum.example/", "Schiffahrtsmuseum Saltmere"),
        ("www.museum.example/tide-clock", "die Gezeitenuhr"),
        ("www.museum.example/", "museum.example"),
        ("www.museum.example/exhibitions/storm", "Ausstellung „Sturm!“"),
        ("www.museum.example/collection/lamp", "Lampe des Leuchtturms"),
        ("www.museum.example/visit", "Öffnungszeiten"),
        ("www.museum.example/", "hier"),
        ("www.museum.example/collection/sextant", "Sextant"),
        ("shop.museum.example/postcards", "Postkarten"),
    ],
};

const FRENCH: Voice = Voice {
    share: 11,
    towns: &[
        ("Port-Salin", "portsalin"),
        ("Saint-Corlan-sur-Mer", "saintcorlan"),
        ("Rochebrume", "rochebrume"),
        ("Valmarée", "valmaree"),
        ("Pontécume", "pontecume"),
    ],
    kinds: &[
        (Newspaper, "Le Courrier", "courrier"),
        (Blog, "Carnets", "carnets"),
        (Museum, "Musée", "musee"),
        (Shop, "Librairie maritime", "librairie"),
        (Observatory, "Observatoire", "observatoire"),
        (Directory, "Annuaire", "annuaire"),
    ],
    endings: [&["fr", "fr", "be", "com", "ca"], &["fr"], &["gouv.fr"]],
    servers: &[
        ("FR", "France", "Brest"),
        ("FR", "France", "Roubaix"),
        ("BE", "Belgium", "Brussels"),
        ("CA", "Canada", "Montreal"),
    ],
    subjects: &[
        ("L’horloge des marées", "horloge"),
        ("Un week-end au bord de la mer", "week-end"),
        ("Phares et balises", "phares"),
        ("Le chant des baleines", "baleines"),
        ("Tempêtes", "tempetes"),
    ],
    anchors: &[
        ("www.museum.example/", "Musée maritime de Saltmere"),
        ("www.museum.example/tide-clock", "l’horloge des marées"),
        ("www.museum.example/collection/lamp", "la lampe du phare"),
        ("www.museum.example/", "en savoir plus"),
        ("www.museum.example/exhibitions/whales", "le chant des baleines"),
        ("www.museum.example/visit", "horaires"),
    ],
};

const SPANISH: Voice = Voice {
    share: 9,
    towns: &[
        ("Puerto Salino", "puertosalino"),
        ("Bahía Farola", "bahiafarola"),
        ("Marealta", "marealta"),
        ("Cabo Brumoso", "cabobrumoso"),
    ],
    kinds: &[
        (Newspaper, "El Diario", "diario"),
        (Blog, "Bitácora", "bitacora"),
        (University, "Universidad", "universidad"),
        (Shop, "Tienda náutica", "nautica"),
        (Museum, "Museo", "museo"),
        (Office, "Capitanía", "capitania"),
    ],
    endings: [&["es", "es", "com.mx", "com.ar", "com"], &["edu.mx", "edu.ar"], &["gob.mx"]],
    servers: &[
        ("ES", "Spain", "Valencia"),
        ("MX", "Mexico", "Veracruz"),
        ("AR", "Argentina", "Mar del Plata"),
    ],
    subjects: &[
        ("El reloj de las mareas", "reloj"),
        ("Un fin de semana junto al mar", "fin-de-semana"),
        ("Faros del norte", "faros"),
        ("Canto de ballenas", "ballenas"),
        ("La tormenta", "tormenta"),
    ],
    anchors: &[
        ("www.museum.example/", "Museo Marítimo de Saltmere"),
        ("www.museum.example/tide-clock", "el reloj de las mareas"),
        ("www.museum.example/collection/lamp", "la lámpara del faro"),
        ("www.museum.example/", "más información"),
        ("www.museum.example/collection/figurehead", "el mascarón de proa"),
    ],
};

const SWEDISH: Voice = Voice {
    share: 6,
    towns: &[
        ("Saltskär", "saltskar"),
        ("Måsholmen", "masholmen"),
        ("Fyrvik", "fyrvik"),
        ("Tångsund", "tangsund"),
    ],
    kinds: &[
        (Newspaper, "Tidning", "tidning"),
        (Blog, "Skärgårdsblogg", "skargardsblogg"),
        (Museum, "Sjömuseum", "sjomuseum"),
        (Shop, "Båthandel", "bathandel"),
        (Observatory, "Observatorium", "observatorium"),
    ],
    endings: [&["se", "se", "nu", "fi"], &["se"], &["se"]],
    servers: &[
        ("SE", "Sweden", "Gothenburg"),
        ("SE", "Sweden", "Linköping"),
        ("FI", "Finland", "Turku"),
        ("NO", "Norway", "Bergen"),
    ],
    subjects: &[
        ("Klockan som visar tidvattnet", "tidvatten"),
        ("En helg vid havet", "helg"),
        ("Fyrar att besöka", "fyrar"),
        ("Valarnas sång", "valar"),
    ],
    anchors: &[
        ("www.museum.example/", "Sjöfartsmuseet i Saltmere"),
        ("www.museum.example/tide-clock", "tidvattenuret"),
        ("www.museum.example/collection/lamp", "fyrens lampa"),
        ("www.museum.example/", "läs mer"),
    ],
};

/// Written from right to left.
const ARABIC: Voice = Voice {
    share: 6,
    towns: &[
        ("ميناء الملح", "minaa-almilh"),
        ("خليج النورس", "khalij-alnawras"),
        ("رأس الفنار", "ras-alfanar"),
    ],
    kinds: &[
        (Newspaper, "صحيفة", "sahifa"),
        (Blog, "مدونة", "mudawana"),
        (Museum, "متحف", "mathaf"),
        (Observatory, "مرصد", "marsad"),
        (Shop, "مكتبة", "maktaba"),
    ],
    endings: [&["com", "org", "net", "ae", "com.eg"], &["edu.eg"], &["gov.eg"]],
    servers: &[
        ("EG", "Egypt", "Alexandria"),
        ("AE", "United Arab Emirates", "Dubai"),
        ("JO", "Jordan", "Aqaba"),
    ],
    subjects: &[
        ("ساعة المد والجزر", "saa"),
        ("عطلة على شاطئ البحر", "utla"),
        ("منارات الشمال", "manarat"),
        ("غناء الحيتان", "hitan"),
    ],
    anchors: &[
        ("www.museum.example/", "متحف سالتمير البحري"),
        ("www.museum.example/tide-clock", "ساعة المد والجزر"),
        ("www.museum.example/collection/lamp", "مصباح المنارة"),
        ("www.museum.example/", "اقرأ المزيد"),
    ],
};

const JAPANESE: Voice = Voice {
    share: 4,
    towns: &[("潮見ヶ浦", "shiomigaura"), ("灯台岬", "todaimisaki"), ("鴎浜", "kamomehama")],
    kinds: &[
        (Newspaper, "新聞", "shinbun"),
        (Blog, "日記", "nikki"),
        (Museum, "博物館", "hakubutsukan"),
        (Observatory, "天文台", "tenmondai"),
        (Shop, "書店", "shoten"),
    ],
    endings: [&["jp", "co.jp", "com", "jp"], &["ac.jp"], &["go.jp"]],
    servers: &[("JP", "Japan", "Osaka"), ("JP", "Japan", "Nagoya"), ("SG", "Singapore", "Singapore")],
    subjects: &[
        ("潮の満ち干を告げる時計", "shiodokei"),
        ("海辺の週末", "shumatsu"),
        ("灯台めぐり", "todai"),
        ("くじらの歌", "kujira"),
    ],
    anchors: &[
        ("www.museum.example/", "ソルトミア海洋博物館"),
        ("www.museum.example/tide-clock", "潮時計"),
        ("www.museum.example/collection/lamp", "灯台のランプ"),
        ("www.museum.example/", "詳しくはこちら"),
    ],
};

/// Pages of the other sites of the town, each with an anchor text; the usual ones first.
pub(super) static NEIGHBOURS: &[(&str, &str)] = &[
    ("www.observer.example/", "Saltmere Observer"),
    ("weather.example/saltmere", "Tides and weather"),
    ("wiki.example/lighthouse", "Lighthouse"),
    ("www.example.edu/physics/tides", "Department of Physics"),
    ("lanterns.example/", "Saltmere Lanterns"),
    ("radio.example/", "Radio Saltmere"),
    ("mara.blogs.example/tide-clock", "Photographs by Mara"),
    ("forum.example/t/2-ferry", "Night ferry"),
    ("library.example.edu/catalogue", "Library"),
    ("xn--bcher-kva.example/seekarten", "Bücher am Hafen"),
];
