//! Links beside those of a whole tree: html5ever's own tokenizer feeds the tree builder, scraper keeps every node it
//! makes, and what is a link is asked of that, element by element. The parser, which keeps hardly anything, says the
//! same.

use backlinkd::config::ParseConfig;
use backlinkd::model::{LinkTag, MediaType};
use backlinkd::parse::{Answer, parse};
use backlinkd::urls::UrlRules;
use html5ever::driver::{ParseOpts, parse_document};
use html5ever::tendril::TendrilSink;
use proptest::collection::vec;
use proptest::prelude::*;
use scraper::{ElementRef, Html, HtmlTreeSink};

use crate::support::shared;

const PAGE: &str = "https://site.example/dir/page";

/// Tags whose misuse moves what is in the tree, and what makes links and their texts.
const PIECES: [&str; 84] = [
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
];

/// Title, base and the links as tag, URL and anchor text.
type Told = (String, Vec<(String, String, String)>);

fn ours(body: &str) -> Told {
    let rules = UrlRules::default();
    let url = rules.canonical(PAGE).unwrap();
    let answer = Answer {
        url: &url,
        media_type: MediaType::parse(b"text/html; charset=utf-8").as_ref(),
        x_robots_tag: &[],
        refresh: None,
        link_headers: &[],
        body: body.as_bytes(),
    };
    let page = parse(&answer, &ParseConfig::default(), &rules, "backlinkd");
    assert!(!page.cut && !page.links_dropped, "{body}");
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
    // What becomes of references is tested elsewhere.
    let rules = UrlRules::default();
    let page = rules.base(&rules.canonical(PAGE).unwrap()).unwrap();
    let base = base.map_or_else(|| page.clone(), |href| page.clone().with_href(href));
    let links = elements.iter().filter_map(|element| {
        let (tag, reference, anchor) = link(element)?;
        let target = rules.resolve(&base, &reference).ok()?;
        let anchor = cut(&anchor);
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
        let images: Vec<ElementRef<'_>> = element
            .descendants()
            .filter_map(ElementRef::wrap)
            .filter(|one| is_html(one, "img") && is_in_document(one))
            .collect();
        let text: String = element
            .descendants()
            .filter(|node| !node.ancestors().any(|ancestor| ancestor.value().is_fragment()))
            .filter_map(|node| node.value().as_text().map(|text| text.to_string()))
            .collect();
        let alts = || images.iter().filter_map(|image| image.attr("alt")).collect::<Vec<_>>().join(" ");
        return Some(match images.is_empty() {
            true => ("a", href, text),
            false if text.trim_ascii().is_empty() => ("aimg", href, alts()),
            false => ("aimg", href, text),
        });
    }
    let frame = ["iframe", "frame", "layer", "ilayer"].into_iter().find(|name| is_html(element, name));
    if let Some(name) = frame {
        return Some((name, value("src")?, value("title").unwrap_or_default()));
    }
    is_html(element, "area").then(|| Some(("area", value("href")?, value("alt").unwrap_or_default())))?
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
    fn any_soup_of_tags_has_the_links_of_its_whole_tree(
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
        // scraper does not tell the tree builder which of MathML's `annotation-xml` elements hold HTML.
        if body.contains("annotation-xml") {
            continue;
        }
        assert_eq!(ours(&body), theirs(&body), "{}", path.display());
        compared += 1;
    }
    assert!(compared > 80, "{compared} pages");
}
