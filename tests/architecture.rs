//! The shape of the source: what may import what, who speaks to the outside, and how a file looks.
//!
//! Each rule is a function from one source file to its violations, so that the rules themselves can be tested on
//! made-up files. Code under `#[cfg(test)]`, comments and strings are left out.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

mod cycles;
mod source;

use cycles::cycles;
use source::Source;

/// Modules and their heights. A module may import what stands lower, and itself.
const LAYERS: [(&str, u8); 32] = [
    ("clock", 0),
    ("encoding", 0),
    ("log_throttle", 0),
    ("lru", 0),
    ("private_files", 0),
    ("sorting", 0),
    ("threads", 0),
    ("urls", 0),
    ("model", 1),
    ("config", 1),
    ("sniff", 2),
    // As high as the clients of the outside world, which must not depend on it.
    ("parse", 4),
    ("sieve", 2),
    ("policy", 2),
    ("graph", 2),
    ("sitemap", 2),
    ("fetch::robots_txt", 2),
    ("rank::system", 3),
    ("rank::pagerank", 4),
    ("fetch", 4),
    // As high as the store, which must not depend on the order of fetches.
    ("frontier", 4),
    ("store", 4),
    ("geo", 4),
    ("warc", 4),
    ("crawl", 5),
    ("rank", 5),
    ("query", 5),
    ("inspect", 5),
    ("metrics", 6),
    ("api", 7),
    ("demo", 8),
    ("cli", 9),
];

/// Crates that one module alone may use.
const ONLY_IMPORTERS: [(&str, &str); 11] = [
    ("reqwest", "fetch"),
    ("hickory_resolver", "fetch"),
    ("rocksdb", "store"),
    ("html5ever", "parse"),
    ("scraper", "parse"),
    ("quick_xml", "sitemap"),
    ("warp", "api"),
    ("maxminddb", "geo"),
    ("publicsuffix", "urls"),
    ("rpassword", "cli"),
    ("rmcp", "api"),
];

const MAX_LINES: usize = 500;
const NO_NAMES: [&str; 8] = ["utils", "util", "helpers", "helper", "common", "misc", "manager", "managers"];
/// Files beside `mod.rs` in one folder.
const MOST_FILES: usize = 12;
/// Folders that are lists of one thing.
const LISTS: [&str; 2] = ["api/endpoints", "config"];
/// Names of types that may be defined in several places, because each place has one.
const COMMON_TYPES: [&str; 1] = ["Row"];
/// Lines of a function after its first.
const MOST_LINES_OF_A_FUNCTION: usize = 40;
/// Pages of the demo are data, each in one function.
const DEMO_PAGES: &str = "demo/sites/";
/// Words of a sentence in a comment.
const MOST_WORDS: usize = 30;
/// Words that hide what a sentence is about.
const NO_WORDS: [&str; 5] = ["whoever", "somebody", "anew", "so many", "held against"];
/// The file of the API that reads the clock. A reply that depends on the clock must not be cached.
const API_CLOCK: &str = "api/request/day_range.rs";
const NO_CALLS: [&str; 4] = [".unwrap()", ".expect(", "todo!", "unimplemented!"];

/// The layer that a module path such as `fetch::client::Client` lies in.
fn layer_of(path: &str) -> Option<(&'static str, u8)> {
    let inside =
        |layer: &str| path.strip_prefix(layer).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"));
    LAYERS.into_iter().filter(|(layer, _)| inside(layer)).max_by_key(|(layer, _)| layer.len())
}

fn imports_point_down(file: &Source) -> Vec<String> {
    // The library's root and the program's entry only name the modules.
    if matches!(file.path.as_str(), "lib.rs" | "main.rs") {
        return Vec::new();
    }
    let Some((own, height)) = layer_of(&file.module) else {
        return vec![format!("module {} stands in no layer", file.module)];
    };
    let mut wrong = Vec::new();
    for import in file.imports() {
        match layer_of(&import) {
            None => wrong.push(format!("imports {import}, which stands in no layer")),
            Some((layer, lower)) if layer != own && lower >= height => {
                wrong.push(format!("imports {import}: {own} stands no higher than {layer}"));
            }
            Some(_) => {}
        }
    }
    wrong
}

fn outside_crates_have_one_importer(file: &Source) -> Vec<String> {
    let top = file.module.split("::").next().unwrap_or_default();
    let foreign = |(name, owner): &(&str, &str)| top != *owner && file.uses_crate(name);
    ONLY_IMPORTERS
        .iter()
        .filter(|rule| foreign(rule))
        .map(|(name, owner)| format!("imports {name}: only {owner} may"))
        .collect()
}

fn nothing_panics(file: &Source) -> Vec<String> {
    if file.path.ends_with("/tests.rs") {
        return Vec::new();
    }
    NO_CALLS.iter().filter(|call| file.code.contains(**call)).map(|call| format!("holds {call}")).collect()
}

fn the_api_reads_the_clock_in_one_place(file: &Source) -> Vec<String> {
    let reads = file.path.starts_with("api/") && file.path != API_CLOCK && file.code.contains("SystemTime");
    if reads { vec![format!("reads the clock: only {API_CLOCK} may")] } else { Vec::new() }
}

fn files_are_short_named_and_explained(file: &Source) -> Vec<String> {
    let mut wrong = Vec::new();
    if file.text.lines().count() > MAX_LINES {
        wrong.push(format!("has {} lines, more than {MAX_LINES}", file.text.lines().count()));
    }
    if file.path.split(['/', '.']).any(|part| NO_NAMES.contains(&part)) {
        wrong.push("has a name that says nothing".to_owned());
    }
    let first = file.text.lines().find(|line| !line.trim().is_empty() && !line.starts_with("#!["));
    if !first.is_some_and(|line| line.starts_with("//! ")) {
        wrong.push("does not begin with module docs".to_owned());
    }
    wrong
}

/// Folders with too many files to find one in.
fn wide_folders(files: &[Source]) -> Vec<String> {
    let mut folders: BTreeMap<&str, usize> = BTreeMap::new();
    for file in files.iter().filter(|file| !file.path.ends_with("mod.rs")) {
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        *folders.entry(folder).or_default() += 1;
    }
    let wide = folders.into_iter().filter(|(folder, files)| *files > MOST_FILES && !LISTS.contains(folder));
    wide.map(|(folder, files)| format!("src/{folder} has {files} files, more than {MOST_FILES}")).collect()
}

/// Types that share a name, and where they are defined.
fn types_of_one_name(files: &[Source]) -> Vec<String> {
    let mut types: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for file in files {
        for name in file.types() {
            types.entry(name).or_default().push(&file.path);
        }
    }
    let shared = types.into_iter().filter(|(name, files)| files.len() > 1 && !COMMON_TYPES.contains(name));
    shared.map(|(name, files)| format!("{name} is defined in {}", files.join(", "))).collect()
}

fn functions_are_short(file: &Source) -> Vec<String> {
    // Pages of the demo and defaults of keys are data.
    let is_data = |name: &str| {
        file.path.starts_with(DEMO_PAGES) || file.path.starts_with("config/") && name == "default"
    };
    let is_long = |name: &str, lines| lines > MOST_LINES_OF_A_FUNCTION && !is_data(name);
    let long = file.functions().into_iter().filter(|(name, lines)| is_long(name, *lines));
    long.map(|(name, lines)| format!("{name} has {lines} lines, more than {MOST_LINES_OF_A_FUNCTION}"))
        .collect()
}

fn sentences_are_short(file: &Source) -> Vec<String> {
    let words = |sentence: &String| sentence.split_whitespace().count();
    let long = file.sentences().into_iter().filter(|sentence| words(sentence) > MOST_WORDS);
    long.map(|sentence| format!("has a sentence of more than {MOST_WORDS} words: {sentence}")).collect()
}

fn comments_are_plain(file: &Source) -> Vec<String> {
    let comments = file.text.lines().filter_map(|line| line.trim_start().strip_prefix("//"));
    let text = comments.map(|line| line.trim_start_matches(['/', '!']).trim()).collect::<Vec<_>>().join(" ");
    let text = format!(" {} ", text.to_lowercase().replace(|c: char| !c.is_alphabetic(), " "));
    let used = NO_WORDS.iter().filter(|word| text.contains(&format!(" {word} ")));
    used.map(|word| format!("has a comment with the word \"{word}\"")).collect()
}

/// Groups of these files that import each other in a circle.
fn circles(files: &[(&str, &str)]) -> Vec<Vec<String>> {
    let files: Vec<Source> = files.iter().map(|(path, code)| Source::new(path, code)).collect();
    cycles(&files).into_iter().map(|group| group.into_iter().map(str::to_owned).collect()).collect()
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut files, mut folders) = (Vec::new(), vec![root.clone()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                files.push(Source::new(&name, &fs::read_to_string(&path).unwrap()));
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(files.len() > 30, "{} files", files.len());
    files
}

fn assert_holds(rule: fn(&Source) -> Vec<String>) {
    let wrong: Vec<String> = sources()
        .iter()
        .flat_map(|file| rule(file).into_iter().map(|wrong| format!("src/{} {wrong}", file.path)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn imports_point_down_only_and_stages_never_call_each_other() {
    assert_holds(imports_point_down);
}

#[test]
fn each_outside_crate_has_one_importer() {
    assert_holds(outside_crates_have_one_importer);
}

#[test]
fn the_clock_of_the_api_has_one_reader() {
    assert_holds(the_api_reads_the_clock_in_one_place);
}

#[test]
fn nothing_panics_outside_tests() {
    assert_holds(nothing_panics);
}

#[test]
fn files_are_short_well_named_and_explained() {
    assert_holds(files_are_short_named_and_explained);
}

#[test]
fn folders_are_narrow() {
    assert_eq!(wide_folders(&sources()), Vec::<String>::new());
}

#[test]
fn each_type_has_a_name_of_its_own() {
    let shared = types_of_one_name(&sources());
    assert!(shared.is_empty(), "{}", shared.join("\n"));
}

#[test]
fn comments_use_plain_words_and_short_sentences() {
    assert_holds(comments_are_plain);
    assert_holds(sentences_are_short);
}

#[test]
fn functions_are_short_enough_to_see_whole() {
    assert_holds(functions_are_short);
}

#[test]
fn files_do_not_import_each_other_in_a_circle() {
    let files = sources();
    let groups = cycles(&files);
    assert!(groups.is_empty(), "{groups:#?}");
}

#[test]
fn the_import_rule_bites() {
    for (path, code, wrong) in [
        ("urls/canonical.rs", "use crate::model::Day;", 1),
        ("model/link.rs", "use crate::urls::{CanonicalUrl, Scope};", 0),
        ("parse/mod.rs", "use crate::{model::Link, config::ParseConfig, store::{self, Store}};", 2),
        ("crawl.rs", "use crate::{fetch::Fetcher, frontier::Frontier};\nfn f() { crate::rank::run(); }", 1),
        ("query/mod.rs", "use crate::crawl::Crawl;\nuse crate::rank;\n", 2),
        ("rank/mod.rs", "mod pagerank;\nuse crate::graph::Csr;\nuse self::pagerank::rank;", 0),
        ("rank/pagerank.rs", "use crate::graph::Csr;\nuse super::scale::Scale;", 1),
        ("fetch/robots_txt.rs", "use crate::fetch::Client;", 1),
        ("fetch/robots.rs", "use super::robots_txt::Rules;\nuse super::Client;", 0),
        ("store/keys.rs", "use crate::query::Where;", 1),
        ("store/keys.rs", "// use crate::query::Where;\nconst A: &str = \"crate::query::Where\";", 0),
        ("store/keys.rs", "#[cfg(test)]\nmod tests { use crate::query::Where; }", 0),
        ("api/auth.rs", "use crate::cli::main;", 1),
        ("cli/users.rs", "use crate::{api, store::Store};", 0),
        ("newroom/mod.rs", "", 1),
        ("crawl.rs", "use crate::newroom::A;", 1),
    ] {
        let found = imports_point_down(&Source::new(path, code));
        assert_eq!(found.len(), wrong, "{path}: {code} {found:?}");
    }
}

#[test]
fn the_other_rules_bite() {
    let crates = |path, code| outside_crates_have_one_importer(&Source::new(path, code)).len();
    assert_eq!(crates("crawl.rs", "use reqwest::Client;"), 1);
    assert_eq!(crates("fetch/client.rs", "use reqwest::Client;"), 0);
    assert_eq!(crates("query/mod.rs", "fn f() -> Result<(), rocksdb::Error> {}"), 1);
    assert_eq!(crates("query/mod.rs", "use {rocksdb, warp as w};"), 2);
    assert_eq!(crates("query/mod.rs", "/// As reqwest does.\nlet my_warp = \"warp::x\";"), 0);

    let panics = |code| nothing_panics(&Source::new("crawl.rs", code)).len();
    assert_eq!(panics("fn f() { x.unwrap(); todo!() }"), 2);
    assert_eq!(panics("fn f() { x.expect(\"\"); unimplemented!() }"), 2);
    assert_eq!(panics("fn f() { x.unwrap_or(1); x.unwrap_or_default() } // .unwrap()\n"), 0);
    assert_eq!(panics("#[cfg(test)]\nmod tests { fn f() { if a { x.unwrap() } } }"), 0);
    assert_eq!(panics("#[cfg(test)]\nmod tests { fn f() {} }\nfn g() { x.unwrap() }"), 1);

    let clock = |path| the_api_reads_the_clock_in_one_place(&Source::new(path, "SystemTime::now()")).len();
    assert_eq!((clock("api/endpoints/sr.rs"), clock(API_CLOCK), clock("crawl/mod.rs")), (1, 0, 0));

    let shape = |path, text: &str| files_are_short_named_and_explained(&Source::new(path, text)).len();
    assert_eq!(shape("store/keys.rs", "//! Keys.\n"), 0);
    assert_eq!(shape("store/keys.rs", "use a::b;\n"), 1);
    assert_eq!(shape("store/utils.rs", "//! Keys.\n"), 1);
    assert_eq!(shape("common/mod.rs", "//! Keys.\n"), 1);
    assert_eq!(shape("store/keys.rs", &"//! Keys.\n".repeat(500)), 0);
    assert_eq!(shape("store/keys.rs", &"//! Keys.\n".repeat(501)), 1);

    let files = |count: usize| -> Vec<Source> {
        (0..count).map(|number| Source::new(&format!("store/f{number}.rs"), "")).collect()
    };
    assert_eq!((wide_folders(&files(12)).len(), wide_folders(&files(13)).len()), (0, 1));

    let types = |a, b| types_of_one_name(&[Source::new("a.rs", a), Source::new("b.rs", b)]).len();
    assert_eq!(types("pub struct Key(u8);", "pub(super) enum Key { A }"), 1);
    assert_eq!(types("struct Key<T>(T);", "impl Key {\n    type Key = u8;\n}\n// struct Key"), 0);

    assert_eq!(types("pub(in crate::a) struct Key;", "mod inner {\n    pub enum Key { A }\n}"), 1);
    assert_eq!(
        types("#[a(b[0])]\ntype Key = u8;", "pin_project! {\n    #[c]\n    pub struct Key { a: u8 }\n}"),
        1
    );
    assert_eq!(
        types("struct Key;", "fn f() {\n    struct Key;\n}\n#[cfg(test)]\nmod tests {\n    struct Key;\n}"),
        0
    );

    let plain = |text| comments_are_plain(&Source::new("a.rs", text)).len();
    assert_eq!(plain("//! Counts anew, for so\n//! many.\nfn whoever() {}"), 2);
    assert_eq!(plain("//! Renewed.\n/// Who ever."), 0);
}

#[test]
fn the_rules_about_circles_and_lengths_bite() {
    assert_eq!(circles(&[("a/b.rs", "use crate::c::D;"), ("c.rs", "use super::a::b;")]), [["a::b", "c"]]);
    assert_eq!(
        circles(&[
            ("a/b.rs", "use crate::c;"),
            ("c.rs", "use crate::a::B;"),
            ("a/mod.rs", "use self::b::B;")
        ]),
        Vec::<Vec<String>>::new()
    );
    let three = [
        ("a.rs", "use crate::b::{self, B};"),
        ("b.rs", "fn f() { super::c::g() }"),
        ("c.rs", "use crate::a;"),
    ];
    assert_eq!(circles(&three), [["a", "b", "c"]]);
    assert_eq!(circles(&three[..2]), Vec::<Vec<String>>::new());
    assert_eq!(
        circles(&[("a.rs", "use crate::b;"), ("b.rs", "#[cfg(test)]\nuse crate::a;\n// crate::a")]),
        Vec::<Vec<String>>::new()
    );

    let long = |lines: usize| {
        let text = format!("trait T {{ fn g(); }}\nfn f(a: [u8; 4]) {{{}}}\nfn h() {{}}", "\n".repeat(lines));
        functions_are_short(&Source::new("a.rs", &text)).len()
    };
    assert_eq!((long(40), long(41)), (0, 1));

    let sentence = |words: usize| format!("//! A{}", " b".repeat(words - 1));
    let wordy = |text: &str| sentences_are_short(&Source::new("a.rs", text)).len();
    assert_eq!((wordy(&sentence(30)), wordy(&sentence(31))), (0, 1));
    assert_eq!(wordy(&format!("{}\n{}", sentence(20), sentence(20))), 1);
    assert_eq!(wordy(&format!("{}:\n{}\n//!\n{}", sentence(20), sentence(20), sentence(20))), 0);
    assert_eq!(wordy(&format!("//! | {}\n//! ```text\n{}\n//! ```", "a ".repeat(40), sentence(40))), 0);
}
