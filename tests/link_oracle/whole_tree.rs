//! Compares the parser's links with those of a whole tree. html5ever's own tokenizer feeds the tree builder, scraper
//! keeps every node, and the oracle examines its tree element by element. The parser, which keeps hardly any node, must
//! give the same links.

use backlinkd::config::ParseConfig;
use backlinkd::model::{LinkTag, MediaType};
use backlinkd::parse::{HtmlResponse, check, parse};
use backlinkd::urls::UrlRules;
use html5ever::driver::{ParseOpts, parse_document};
use html5ever::tendril::TendrilSink;
use proptest::collection::vec;
use proptest::prelude::*;
use scraper::{ElementRef, Html, HtmlTreeSink};

use crate::support::shared;

const PAGE: &str = "https://site.example/dir/page";

/// Tags whose misuse changes the tree, and tags that make links and their texts.
const PIECES: [&str; 98] = [
    "<a href=1>",
    "<a href=2 class=x>",
    "<a name=n>",
    "</a>",
    "<A HREF='3?a&amp;b'>",
    "<a href=mailto:x>",
    "x",
    " y ",
    "\n",
    "&amp;",
    "&nbsp;",
    "\0",
    "<b>",
    "<b id=1>",
    "</b>",
    "<i>",
    "</i>",
    "<font size=1>",
    "</font>",
    "<nobr>",
    "<code>",
    "</code>",
    "<p>",
    "</p>",
    "<div>",
    "</div>",
    "<ul>",
    "<li>",
    "</ul>",
    "<h1>",
    "</h1>",
    "<center>",
    "<table>",
    "</table>",
    "<caption>",
    "<colgroup>",
    "<tbody>",
    "<tr>",
    "</tr>",
    "<td>",
    "</td>",
    "<th>",
    "<select>",
    "<option>",
    "</select>",
    "<button>",
    "</button>",
    "<form>",
    "</form>",
    "<input type=hidden>",
    "<input>",
    "<object>",
    "</object>",
    "<template>",
    "</template>",
    "<svg>",
    "</svg>",
    "<a xlink:href=4>",
    "<title>",
    "</title>",
    "<foreignObject>",
    "<desc>",
    "<math>",
    "<mi>",
    "</math>",
    "<image alt=I>",
    "<img alt=' J  K'>",
    "<img>",
    "<iframe src=5 title=F>",
    "</iframe>",
    "<map>",
    "<area href=6 alt=A>",
    "<layer src=7>",
    "<frameset>",
    "<frame src=8>",
    "</frameset>",
    "<noscript>",
    "</noscript>",
    "<!-- c -->",
    "<script>",
    "</script>",
    "<base href=/b/>",
    "</body>",
    "<!doctype html>",
    "<br>",
    "<hr>",
    "<style>",
    "</style>",
    "<svg><style>",
    "<pre>",
    "</li>",
    "<dl><dt>",
    "<dd>",
    "<img alt='I'>",
    "<img alt='&nbsp;'>",
    "&#8203;",
    "&lrm;\u{2060}",
    "<a href=9 title=t>",
];

/// Title, base and the links as tag, URL and anchor text.
type Told = (String, Vec<(String, String, String)>);

fn ours(body: &str) -> Told {
    let rules = UrlRules::default();
    let url = rules.canonical(PAGE).unwrap();
    let media_type = MediaType::parse(b"text/html; charset=utf-8");
    let answer = HtmlResponse {
        url: &url,
        media_type: media_type.as_ref(),
        x_robots_tag: &[],
        refresh: None,
        link_headers: &[],
        body: body.as_bytes(),
    };
    let config = ParseConfig::default();
    let page = parse(&answer, &config, &rules, "backlinkd");
    assert!(!page.cut && !page.links_dropped, "{body}");
    // The check that a crawl makes says the same.
    assert_eq!(check(&answer, &page, &config, &rules), Ok(()), "{body}");
    let links = page.links.into_iter().filter(|link| link.tag != LinkTag::Refresh);
    (page.title, links.map(|link| (link.tag.to_string(), link.target.to_string(), link.anchor)).collect())
}

fn theirs(body: &str) -> Told {
    let mut options = ParseOpts::default();
    options.tree_builder.scripting_enabled = false;
    let html = parse_document(HtmlTreeSink::new(Html::new_document()), options).one(body);
    let elements: Vec<ElementRef<'_>> =
        html.tree.root().descendants().filter_map(ElementRef::wrap).filter(is_in_document).collect();
    let title = elements.iter().find(|element| is_html(element, "title"));
    let base = elements.iter().filter(|element| is_html(element, "base")).find_map(|base| base.attr("href"));
    // Other tests cover the resolution of references.
    let rules = UrlRules::default();
    let page = rules.base(&rules.canonical(PAGE).unwrap()).unwrap();
    let base = base.map_or_else(|| page.clone(), |href| page.clone().with_href(href));
    let links = elements.iter().filter_map(|element| {
        let (tag, reference, anchor) = link(element)?;
        let target = rules.resolve(&base, &reference).ok()?;
        let anchor: String = anchor.chars().take(512).collect();
        let anchor = read(&anchor);
        (target.as_str() != PAGE).then(|| (tag.to_owned(), target.to_string(), anchor))
    });
    let title = title.map(|title| cut(&title.text().collect::<String>()));
    (title.unwrap_or_default(), links.collect())
}

fn is_in_document(element: &ElementRef<'_>) -> bool {
    !element.ancestors().any(|ancestor| ancestor.value().is_fragment())
}

fn is_html(element: &ElementRef<'_>, name: &str) -> bool {
    &*element.value().name.ns == "http://www.w3.org/1999/xhtml" && element.value().name() == name
}

/// The tag, reference and text of an element that is a link.
fn link(element: &ElementRef<'_>) -> Option<(&'static str, String, String)> {
    let value = |name: &str| element.attr(name).map(str::to_owned);
    let in_svg = &*element.value().name.ns == "http://www.w3.org/2000/svg" && element.value().name() == "a";
    if in_svg || is_html(element, "a") {
        let href = value("href").or_else(|| xlink_href(element).filter(|_| in_svg))?;
        return Some(anchor(element, href));
    }
    let frame = ["iframe", "frame", "layer", "ilayer"].into_iter().find(|name| is_html(element, name));
    if let Some(name) = frame {
        return Some((name, value("src")?, read(&value("title").unwrap_or_default())));
    }
    is_html(element, "area")
        .then(|| Some(("area", value("href")?, read(&value("alt").unwrap_or_default()))))?
}

fn anchor(element: &ElementRef<'_>, href: String) -> (&'static str, String, String) {
    let elements = element.descendants().filter_map(ElementRef::wrap).filter(is_in_document);
    let images: Vec<ElementRef<'_>> = elements.filter(|one| is_html(one, "img")).collect();
    let in_noscript = |image: &&ElementRef<'_>| {
        let mut within = image.ancestors().take_while(|ancestor| ancestor.id() != element.id());
        within.any(|one| ElementRef::wrap(one).is_some_and(|one| is_html(&one, "noscript")))
    };
    let has_other_image = images.iter().any(|image| !in_noscript(&image));
    let text = read(&text_of(element, has_other_image));
    let alts = |images: Vec<&ElementRef<'_>>| {
        let alts = images.iter().filter_map(|image| image.attr("alt")).map(read);
        let mut alts: Vec<String> = alts.filter(|alt| !alt.is_empty()).collect();
        alts.dedup();
        alts.join(" ")
    };
    match images.is_empty() {
        true => ("a", href, text),
        false if !text.is_empty() => ("aimg", href, text),
        false => {
            let shown: Vec<_> = images.iter().filter(|one| !has_other_image || !in_noscript(one)).collect();
            let shown = alts(shown);
            ("aimg", href, if shown.is_empty() { alts(images.iter().collect()) } else { shown })
        }
    }
}

/// The visible text of an element, with a blank at each edge of a block.
fn text_of(element: &ElementRef<'_>, without_noscript: bool) -> String {
    let mut text = String::new();
    for child in element.children() {
        if let Some(node) = child.value().as_text() {
            text += node;
        }
        let Some(child) = ElementRef::wrap(child) else { continue };
        let is_hidden = ["script", "style", "template"].contains(&child.value().name());
        if is_hidden || (without_noscript && is_html(&child, "noscript")) {
            continue;
        }
        let edge = if BLOCKS.split(' ').any(|name| is_html(&child, name)) { " " } else { "" };
        text += &[edge, &text_of(&child, without_noscript), edge].concat();
    }
    text
}

/// Elements that begin and end on their own line.
const BLOCKS: &str = "br html body address blockquote center dialog div figure figcaption footer form header hr legend \
    listing main p plaintext pre search xmp article aside h1 h2 h3 h4 h5 h6 hgroup nav section dir dd dl dt menu ol ul \
    li table caption colgroup col thead tbody tfoot tr td th fieldset optgroup option details summary frameset frame";

/// Characters of width zero and those that control the direction of a text.
const WITHOUT_WIDTH: &str = "\u{61c}\u{180e}\u{200b}\u{200c}\u{200d}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\
    \u{202e}\u{2060}\u{2066}\u{2067}\u{2068}\u{2069}\u{feff}";

/// A text as it is displayed: blanks collapsed, and without characters of no width at its ends.
fn read(text: &str) -> String {
    let is_blank = |c: char| c.is_ascii_whitespace() || c == '\u{a0}';
    let words: Vec<&str> = text.split(is_blank).filter(|word| !word.is_empty()).collect();
    words.join(" ").trim_matches(|c| c == ' ' || WITHOUT_WIDTH.contains(c)).to_owned()
}

fn xlink_href(element: &ElementRef<'_>) -> Option<String> {
    let mut attributes = element.value().attrs.iter();
    attributes
        .find(|(name, _)| &*name.ns == "http://www.w3.org/1999/xlink" && &*name.local == "href")
        .map(|(_, value)| value.to_string())
}

/// Blanks collapsed, trimmed, at most 512 characters.
fn cut(text: &str) -> String {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    words.join(" ").chars().take(512).collect::<String>().trim_end_matches(' ').to_owned()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_tag_soup_has_the_links_of_its_whole_tree(
        pieces in vec(proptest::sample::select(&PIECES[..]), 0..60)
    ) {
        let body = pieces.concat();
        prop_assert_eq!(ours(&body), theirs(&body), "{}", body);
    }
}

#[test]
fn pages_of_the_oracle_have_the_links_of_their_whole_trees() {
    let Some(oracle) = shared("linkoracle/oracle.jsonl") else { return };
    let mut compared = 0;
    for entry in std::fs::read_dir(oracle.with_file_name("pages")).unwrap() {
        let path = entry.unwrap().path();
        let Ok(body) = String::from_utf8(std::fs::read(&path).unwrap()) else { continue };
        // scraper does not report to the tree builder which of MathML's `annotation-xml` elements hold HTML.
        if body.contains("annotation-xml") {
            continue;
        }
        assert_eq!(ours(&body), theirs(&body), "{}", path.display());
        compared += 1;
    }
    assert!(compared > 80, "{compared} pages");
}
