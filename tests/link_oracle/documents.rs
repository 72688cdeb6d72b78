//! The results for small documents, and the limits for hostile ones.

use std::sync::LazyLock;

use backlinkd::config::ParseConfig;
use backlinkd::model::{Directives, Link, LinkTag, MediaType, Rel};
use backlinkd::parse::{HtmlResponse, ParsedPage, parse};
use backlinkd::urls::{CanonicalUrl, UrlRules};
use encoding_rs::Encoding;
use rustix::time::{ClockId, clock_gettime};

const PAGE: &str = "https://site.example/dir/page";
static HTML: LazyLock<Option<MediaType>> = LazyLock::new(|| MediaType::parse(b"text/html"));
static PAGE_URL: LazyLock<CanonicalUrl> = LazyLock::new(|| UrlRules::default().canonical(PAGE).unwrap());

fn answer(body: &[u8]) -> HtmlResponse<'_> {
    HtmlResponse {
        url: &PAGE_URL,
        media_type: HTML.as_ref(),
        x_robots_tag: &[],
        refresh: None,
        link_headers: &[],
        body,
    }
}

fn read_answer(answer: HtmlResponse<'_>) -> ParsedPage {
    parse(&answer, &ParseConfig::default(), &UrlRules::default(), "backlinkd")
}

fn read_by(config: &ParseConfig, body: &str) -> ParsedPage {
    parse(&answer(body.as_bytes()), config, &UrlRules::default(), "backlinkd")
}

fn read(body: &str) -> ParsedPage {
    read_answer(answer(body.as_bytes()))
}

/// Tag, URL (without the page's directory) and anchor text of every link.
fn told(page: &ParsedPage) -> Vec<(&'static str, String, &str)> {
    let short = |link: &Link| link.target.as_str().replace("https://site.example/dir/", "");
    page.links.iter().map(|link| (link.tag.as_str(), short(link), link.anchor.as_str())).collect()
}

fn links(body: &str) -> Vec<(&'static str, String, String)> {
    told(&read(body)).into_iter().map(|(tag, url, text)| (tag, url, text.to_owned())).collect()
}

fn link(tag: &'static str, url: &str, text: &str) -> (&'static str, String, String) {
    (tag, url.to_owned(), text.to_owned())
}

#[test]
fn every_kind_of_link_is_extracted_in_document_order() {
    let body = "<meta http-equiv=Refresh content='5; url=r'><a href=a> x <b>y\n</b></a>\
        <map><area href=b alt=' An\tarea '></map><iframe src=c title='A frame'><a href=no></a></iframe>\
        <layer src=d title=L><ilayer src=e></ilayer></layer><a href=f><img alt=no>text</a>\
        <svg><a xlink:href=g>svg</a></svg><noscript><a href=h>h</a></noscript>\
        <template><a href=no>no</a></template><textarea><a href=no></textarea><a name=no>no</a>";
    let expected = [
        link("refresh", "r", ""),
        link("a", "a", "x y"),
        link("area", "b", "An area"),
        link("iframe", "c", "A frame"),
        link("layer", "d", "L"),
        link("ilayer", "e", ""),
        link("aimg", "f", "text"),
        link("a", "g", "svg"),
        link("a", "h", "h"),
    ];
    assert_eq!(links(body), expected);
    let frames = "<frameset><frame src=1><frame src=2 title=two></frameset>";
    assert_eq!(links(frames), [link("frame", "1", ""), link("frame", "2", "two")]);
}

#[test]
fn references_without_a_fetchable_target_are_no_links() {
    let body = "<a href=mailto:a@b.example>1</a><a href=javascript:x()>2</a><a href=tel:1>3</a>\
        <a href='data:text/html,x'>4</a><a href='#top'>5</a><a href=''>6</a><a href=page#x>7</a>\
        <a href='//SITE.example:443/dir/../dir/page'>8</a><a href='http://['>9</a><a href=about:blank>10</a>\
        <a href='ftp://site.example/'>11</a><meta http-equiv=refresh content='5;url=page'>";
    assert_eq!(links(body), []);
}

#[test]
fn references_are_resolved_against_the_first_base_but_compared_with_the_page() {
    let body = "<a href=x>1</a><base target=_top><base href='/up/'><base href=/no/><a href='#x'>2</a>\
        <a href=../dir/page>3</a>";
    let up = "https://site.example/up/";
    assert_eq!(links(body), [link("a", &format!("{up}x"), "1"), link("a", up, "2")]);
}

#[test]
fn anchors_without_text_use_the_alt_texts_of_images() {
    for (body, tag, text) in [
        ("<a href=x><img alt=' A  B '><i></i><img><img alt=''><img alt=C></a>", "aimg", "A B C"),
        ("<a href=x>\n<img alt=A>\n</a>", "aimg", "A"),
        ("<a href=x><img alt=A>&nbsp;</a>", "aimg", "A"),
        ("<a href=x>&#8203;<img alt='A&nbsp; B'>&zwnj; </a>", "aimg", "A B"),
        ("<a href=x><img alt=A><br><img alt='A '><img alt=B><img alt=A></a>", "aimg", "A B A"),
        ("<a href=x><img alt='&nbsp;'><script>x</script></a>", "aimg", ""),
        ("<img alt=A><a href=x> </a><img alt=B>", "a", ""),
        ("<a href=x><input type=image alt=A></a>", "a", ""),
    ] {
        assert_eq!(links(body), [link(tag, "x", text)], "{body}");
    }
}

/// Block elements that can be alone in a link.
const BLOCKS: &str = "address article aside blockquote center dd details dialog dir div dl dt fieldset figcaption figure
    footer form h1 h2 h3 h4 h5 h6 header hgroup legend li listing main menu nav ol optgroup option p pre search section
    summary ul";

#[test]
fn anchor_texts_are_the_visible_texts() {
    for (body, text) in [
        // Blanks, and characters without width.
        ("<a href=x>\u{feff}&nbsp;One\n&nbsp;two&nbsp;&rlm;</a>", "One two"),
        ("<a href=x>&#x202a; soft&shy; &#8203;line &zwj;</a>", "soft\u{ad} \u{200b}line"),
        ("<a href=x>&lrm;&#8288;</a>", ""),
        // Lines and blocks.
        ("<a href=x>one<br>two<br/><br>three</a>", "one two three"),
        ("<a href=x><div>one</div><div>two</div>three<h2>four</h2></a>", "one two three four"),
        ("<a href=x><span>o</span><b>ne</b><i>two</i></a>", "onetwo"),
        ("<a href=x><ul><li>one<li>two</ul><p>three</p></a>", "one two three"),
        ("<a href=x><table><tr><td>one<td>two<tr><th>three</table></a>", "one two three"),
        (
            "<a href=x><dl><dt>one<dd>two</dl><hr><figure>three<figcaption>four</figure></a>",
            "one two three four",
        ),
        (
            "<a href=x>one<section>two</section><custom-block>three</custom-block>four</a>",
            "one two threefour",
        ),
        ("<a href=x>o<wbr>n<!-- -->e<svg><text>two</text><div>three</div></svg></a>", "onetwo three"),
        // Hidden content.
        ("<a href=x>o<script>no</script>ne<style>no</style> two<template>no</template></a>", "one two"),
        ("<a href=x>one <script> no </script> two</a>", "one two"),
        ("<a href=x><script>no </script> one</a>", "one"),
        (
            "<a href=x><svg><style>.no{}</style><script>no</script><title>icon</title></svg> one</a>",
            "icon one",
        ),
    ] {
        assert_eq!(links(body), [link("a", "x", text)], "{body}");
    }
    for name in BLOCKS.split_whitespace() {
        let body = format!("<a href=x>one<{name}>two</{name}>three</a>");
        assert_eq!(links(&body), [link("a", "x", "one two three")], "{name}");
    }
    for name in
        ["span", "button", "label", "object", "video", "rt", "slot", "custom-block", "noscript", "layer"]
    {
        let body = format!("<a href=x>one<{name}>two</{name}>three</a>");
        assert_eq!(links(&body), [link("a", "x", "onetwothree")], "{name}");
    }
    let body = "<map><area href=x alt='&nbsp;An\n area&lrm;'></map><iframe src=y title=' A&nbsp;frame&#8203;'></iframe>";
    assert_eq!(links(body), [link("area", "x", "An area"), link("iframe", "y", "A frame")]);
}

#[test]
fn a_noscript_counts_unless_it_replaces_an_image() {
    for (body, tag, text) in [
        ("<a href=x><img data-src=1 alt=A><noscript><img src=1 alt=B></noscript></a>", "aimg", "A"),
        ("<a href=x><noscript><img src=1 alt=B> b </noscript> one <img data-src=1></a>", "aimg", "one"),
        ("<a href=x><noscript>b</noscript><img alt=A><noscript>c</noscript></a>", "aimg", "A"),
        (
            "<a href=x><noscript>b <script>no</script><noscript>c</noscript></noscript> one<img></a>",
            "aimg",
            "one",
        ),
        // A placeholder has no text.
        ("<a href=x><img data-src=1 alt=''><noscript><img src=1 alt=B></noscript></a>", "aimg", "B"),
        ("<a href=x><noscript><img src=1 alt=B></noscript></a>", "aimg", "B"),
        ("<a href=x><noscript><img alt=B>b</noscript>one</a>", "aimg", "bone"),
        ("<a href=x><noscript>b<script>no</script></noscript> one</a>", "a", "b one"),
        ("<noscript><a href=x><img>one</a></noscript>", "aimg", "one"),
    ] {
        assert_eq!(links(body), [link(tag, "x", text)], "{body}");
    }
}

#[test]
fn anchors_can_be_nested() {
    let body =
        "<a href=1>out <table><tr><td><a href=2> <img alt=I> in</a> cell</table> side</a><a href=3>n</a>";
    assert_eq!(
        links(body),
        [link("aimg", "1", "out in cell side"), link("aimg", "2", "in"), link("a", "3", "n")]
    );
    // Text excluded from one anchor is not excluded from an anchor inside it.
    let body = "<a href=1><img alt=A><svg><style>x <a xlink:href=2>two</a></style></svg><noscript><table><tr><td>\
        <a href=3>three</a></table><img alt=B></noscript></a>";
    assert_eq!(links(body), [link("aimg", "1", "A"), link("a", "2", "two"), link("a", "3", "three")]);
    let body = "<a href=1>\u{200b}<object><a href=2>&nbsp;<object><a href=3>&lrm;</object></object>one";
    assert_eq!(links(body), [link("a", "1", "one"), link("a", "2", ""), link("a", "3", "")]);
}

#[test]
fn texts_are_cut_by_characters() {
    let config = ParseConfig {
        max_anchor_chars: 3,
        max_title_chars: 4,
        max_description_chars: 5,
        ..ParseConfig::default()
    };
    let body = "<title>\u{e4}\u{f6}\u{fc} \u{df}x</title><meta name=Description content='d d d d'>\
        <a href=x>\u{e4}\u{f6}\u{fc}\u{df}</a><a href=y><img alt=abcd></a><map><area href=z alt=abcd></map>";
    let page = read_by(&config, body);
    assert_eq!((page.title.as_str(), page.description.as_str()), ("äöü", "d d d"));
    assert_eq!(page.links.iter().map(|link| link.anchor.as_str()).collect::<Vec<_>>(), ["äöü", "abc", "abc"]);
}

#[test]
fn links_beyond_a_limit_are_dropped_and_counted() {
    let body: String =
        (0..10).map(|n| format!("<a href={n}>{n}</a><a href=mailto:{n}@x.example></a>")).collect();
    let config = ParseConfig { max_links: 4, ..ParseConfig::default() };
    let page = read_by(&config, &body);
    assert_eq!(told(&page).last(), Some(&("a", "3".to_owned(), "3")));
    assert_eq!((page.links.len(), page.links_dropped, page.cut), (4, true, false));
    // The bytes of four and a half links: each has a target, a text, and the data stored with it.
    let each = page.links[0].bytes_on(&PAGE_URL, &page.title);
    let config = ParseConfig { max_links_bytes: 4 * each + each / 2, ..ParseConfig::default() };
    let page = read_by(&config, &body);
    assert_eq!((page.links.len(), page.links_dropped, page.cut), (4, true, false));
    let config = ParseConfig { max_links: 10, max_links_bytes: 10 * each, ..ParseConfig::default() };
    let page = read_by(&config, &body);
    assert_eq!((page.links.len(), page.links_dropped, page.cut), (10, false, false));
}

#[test]
fn texts_of_nested_anchors_are_bounded() {
    let config = ParseConfig { max_links_bytes: 1_000, ..ParseConfig::default() };
    let anchors = "<a href='mailto:a@b.example'>".repeat(20);
    let page = read_by(&config, &format!("<svg>{anchors}{}</svg>", "x".repeat(500)));
    assert_eq!((page.links.len(), page.cut), (0, true));
}

#[test]
fn titles_and_descriptions_are_the_first_ones() {
    let page = read(
        "<svg><title>no</title></svg><title> One \n title</title><title>two</title>\
        <meta name=description content=' a\tb '><meta name=description content=c>",
    );
    assert_eq!((page.title.as_str(), page.description.as_str()), ("One title", "a b"));
}

#[test]
fn directives_come_from_the_document_and_from_headers() {
    let rel = "<a href=1 rel='x,UGC'>1</a><a href=2>2</a>";
    for (meta, header, noindex, nofollow) in [
        ("", "", false, false),
        ("<meta name=ROBOTS content='NOINDEX, NoFollow'>", "", true, true),
        ("<meta name=BacklinkD content=none>", "", true, true),
        ("<meta name=otherbot content=none>", "", false, false),
        ("<meta name=robots content=noindex>", "nofollow", true, true),
        ("", "otherbot: none", false, false),
    ] {
        let page = read_answer(HtmlResponse {
            x_robots_tag: &[header],
            ..answer(format!("{meta}{rel}").as_bytes())
        });
        assert_eq!(page.directives, Directives { noindex, nofollow }, "{meta} {header}");
        let whole = if nofollow { Rel::PAGE_NOFOLLOW } else { Rel::NONE };
        assert_eq!(page.links.iter().map(|link| link.rel).collect::<Vec<_>>(), [Rel::UGC.with(whole), whole]);
    }
}

#[test]
fn a_canonical_is_another_url() {
    for (body, header, canonical) in [
        ("<link rel='x Canonical' href=/c>", "", Some("https://site.example/c")),
        ("<link rel=alternate,canonical href=/c>", "", Some("https://site.example/c")),
        ("<base href=/up/><link rel=canonical href=c>", "", Some("https://site.example/up/c")),
        ("<link rel=canonical href=page#x>", "<other>; rel=canonical", None),
        (
            "<link rel=canonical href=''><link rel=canonical href=ftp://x/><link rel=canonical href=c>",
            "",
            Some("https://site.example/dir/c"),
        ),
        ("<base href=/up/>", "<c>; rel=canonical", Some("https://site.example/dir/c")),
        ("<svg><link rel=canonical href=no></svg>", "", None),
        ("<a rel=canonical href=no>x</a>", "", None),
    ] {
        let page = read_answer(HtmlResponse { link_headers: &[header], ..answer(body.as_bytes()) });
        assert_eq!(page.canonical.as_ref().map(|url| url.as_str()), canonical, "{body}");
    }
}

#[test]
fn a_refresh_header_comes_first_and_ignores_the_base() {
    let body = "<base href=/up/><meta http-equiv=refresh content='0;url=m'><a href=a>a</a>";
    let page = read_answer(HtmlResponse { refresh: Some("0; url=h"), ..answer(body.as_bytes()) });
    let up = "https://site.example/up/";
    assert_eq!(
        told(&page),
        [("refresh", "h".to_owned(), ""), ("refresh", format!("{up}m"), ""), ("a", format!("{up}a"), "a")]
    );
    assert_eq!(page.links[0].tag, LinkTag::Refresh);
}

/// Encoding, place of the declaration (header, meta, byte order mark, none, header against meta), and a word.
const CHARSETS: [(&str, &str, &str); 22] = [
    ("windows-1252", "header", "Café – €"),
    ("iso-8859-1", "meta", "Straße"),
    ("iso-8859-2", "meta", "Łódź"),
    ("windows-1251", "header", "Привет"),
    ("koi8-r", "meta", "Привет"),
    ("shift_jis", "meta", "日本語"),
    ("euc-jp", "header", "日本語"),
    ("iso-2022-jp", "meta", "日本語"),
    ("gb18030", "header", "中文"),
    ("big5", "meta", "繁體"),
    ("euc-kr", "meta", "한국어"),
    ("utf-8", "header", "Ümläut"),
    ("utf-8", "meta", "Ümläut"),
    ("utf-8", "mark", "Ümläut"),
    ("utf-16le", "mark", "Ümläut"),
    ("utf-16be", "mark", "Ümläut"),
    ("windows-1252", "nowhere", "Café – €"),
    ("utf-8", "nowhere", "Ümläut"),
    ("utf-8", "conflict", "Ümläut"),
    ("windows-1254", "meta", "İstanbul"),
    ("windows-1255", "header", "שלום"),
    ("windows-874", "meta", "ไทย"),
];

fn encode(text: &str, label: &str) -> Vec<u8> {
    match label {
        "utf-16le" => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        "utf-16be" => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        _ => Encoding::for_label(label.as_bytes()).unwrap().encode(text).0.into_owned(),
    }
}

#[test]
fn every_charset_is_decoded_wherever_it_is_declared() {
    for (label, place, word) in CHARSETS {
        let declaration = match place {
            "meta" => format!("<meta charset={label}>"),
            "conflict" => "<meta http-equiv=Content-Type content='text/html; charset=iso-8859-1'>".to_owned(),
            _ => String::new(),
        };
        let mark = if place == "mark" { "\u{feff}" } else { "" };
        let body =
            format!("{mark}<!DOCTYPE html>{declaration}<title>{word}</title><a href='/{word}'>{word}</a>");
        let content_type = match place {
            "header" | "conflict" => format!("text/html; charset={label}"),
            _ => "text/html".to_owned(),
        };
        let page = read_answer(HtmlResponse {
            media_type: MediaType::parse(content_type.as_bytes()).as_ref(),
            ..answer(&encode(&body, label))
        });
        let name = if label == "iso-8859-1" { "windows-1252" } else { label };
        assert_eq!((page.charset.as_str(), page.title.as_str()), (name, word), "{label} {place}");
        assert_eq!(page.links[0].anchor, word, "{label} {place}");
        let path = UrlRules::default().canonical(&format!("https://site.example/{word}")).unwrap();
        assert_eq!(page.links[0].target, path, "{label} {place}: paths are always UTF-8");
    }
}

#[test]
fn queries_are_encoded_in_the_encoding_of_the_page() {
    let body = encode("<meta charset=koi8-r><a href='?q=Привет&amp;é'>x</a>", "koi8-r");
    let page = read_answer(answer(&body));
    let query = "?q=%F0%D2%C9%D7%C5%D4&%26%23233%3B";
    assert_eq!(page.links[0].target.as_str(), format!("{PAGE}{query}"));
}

#[test]
fn a_late_declaration_overrides_a_guess_but_not_a_header() {
    let body =
        encode(&format!("<!--{}--><meta charset=koi8-r><title>Привет</title>", "x".repeat(2000)), "koi8-r");
    let page = read_answer(answer(&body));
    assert_eq!((page.charset.as_str(), page.title.as_str()), ("koi8-r", "Привет"));
    let media_type = MediaType::parse(b"text/html; charset=windows-1252");
    let page = read_answer(HtmlResponse { media_type: media_type.as_ref(), ..answer(&body) });
    assert_eq!(page.charset, "windows-1252");
}

/// Pages built to be expensive. Each would take minutes or gigabytes without its limit. With the limit each is parsed
/// in well under a second, and its link is found unless the limit cuts it off.
#[test]
fn hostile_pages_are_bounded() {
    let deep =
        |open: &str, close: &str| format!("{}<a href=x>x</a>{}", open.repeat(100_000), close.repeat(100_000));
    let fonts: String = (0..200).map(|n| format!("<font size={n}>")).collect();
    let many = |tag: &dyn Fn(usize) -> String| (0..50_000).map(tag).collect::<String>();
    let made_up = |start: &str| {
        "<a href=x>x</a>".to_owned()
            + &(0..1_000_000).map(|n| format!("{start}made-up-{n}>")).collect::<String>()
    };
    for (name, body, found) in [
        ("deep div", deep("<div>", "</div>"), true),
        ("deep unclosed", deep("<b><p>", ""), true),
        ("deep list", deep("<ul><li>", "</ul>"), true),
        ("deep table", deep("<table><tr><td>", "</table>"), true),
        ("deep svg", deep("<svg><g>", "</g></svg>"), true),
        ("formatting", many(&|n| format!("<p><b id={n}>")) + "<a href=x>x</a>", true),
        (
            "fonts in every paragraph",
            format!("<p>{fonts}</p>") + &"<p>x</p>".repeat(50_000) + "<a href=x>x</a>",
            false,
        ),
        ("fonts never closed", many(&|n| format!("<font size={n}>")) + "<a href=x>x</a>", true),
        ("unknown end tags", deep("<div>", "</x></y>"), true),
        ("anchors in each other", many(&|n| format!("<a href={n}><object>text")), true),
        (
            "anchors in each other with characters without width",
            many(&|n| format!("<a href={n}><object>&#8203;\u{200b}")) + &"\u{200b}".repeat(1_000_000),
            true,
        ),
        (
            "anchors in each other with images",
            many(&|n| {
                format!("<a href={n}><object><noscript><img alt=A></noscript><img alt=A><script>x</script>")
            }),
            true,
        ),
        ("SVG anchors in each other", format!("<svg>{}", many(&|n| format!("<a href={n}>t"))), true),
        ("attributes", format!("<a href=x>x</a><b{}>", many(&|n| format!(" a{n}=''"))), true),
        ("start tags nobody knows", made_up("<"), true),
        ("end tags nobody knows", made_up("</"), true),
        ("attributes nobody knows", made_up("<b "), true),
        ("doctypes", "<!doctype x>".repeat(300_000) + "<a href=x>x</a>", true),
    ] {
        let start = clock_gettime(ClockId::ThreadCPUTime);
        let page = read(&body);
        let spent = clock_gettime(ClockId::ThreadCPUTime) - start;
        assert_eq!(!page.links.is_empty(), found, "{name}");
        assert!(spent.tv_sec < 10, "{name}: {spent:?} of the processor's time");
    }
}

#[test]
fn end_tags_of_withheld_elements_close_nothing_else() {
    let depth = 2 * ParseConfig::default().max_open_elements;
    let body = format!("<a href=1>1 {}in{} 1</a><a href=2>2</a>", "<i>".repeat(depth), "</i>".repeat(depth));
    assert_eq!(links(&body), [link("a", "1", "1 in 1"), link("a", "2", "2")]);
}
