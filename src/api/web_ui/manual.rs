//! The help of the web page, a part of the build script: Markdown in, fragments of HTML and their index out.
//!
//! The pages are those of `src/docs` in the order of its README, and then the references that they link to. A link
//! between two of them leads to the other one within the web page. A link to any other file of the repository becomes
//! plain text, because nothing serves that file. Comments and images are left out.

use std::collections::HashMap;
use std::error::Error;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Component, Path, PathBuf};

use pulldown_cmark::{CodeBlockKind, CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};
use serde_json::{Value, json};

/// The folders and files that the pages come from, for Cargo.
pub(crate) const SOURCES: [&str; 8] = [
    GUIDES,
    "src/api/README.md",
    "config/README.md",
    "src/cli/README.md",
    "src/crawl/README.md",
    "src/metrics/README.md",
    "src/store/README.md",
    "benches/README.md",
];

const GUIDES: &str = "src/docs";
/// The page that lists all others.
const CONTENTS: &str = "src/docs/README.md";
/// The address of a page within the web page, before its name.
const ADDRESS: &str = "/?view=help&doc=";

/// A file of the help: its name in the web page, and its path in the repository.
struct HelpPage {
    name: String,
    path: String,
}

/// A page as the web page gets it.
struct HelpHtml {
    body: String,
    title: String,
    about: String,
    /// Anchor, text and level of each heading below the title.
    headings: Vec<(String, String, u8)>,
}

/// Renders all pages of the repository in this folder. Returns the assets: names and contents, the index first.
pub(crate) fn render_help(root: &Path) -> Result<Vec<(String, String)>, Box<dyn Error>> {
    let pages = find_pages(root)?;
    let names: HashMap<&str, &str> =
        pages.iter().map(|page| (page.path.as_str(), page.name.as_str())).collect();
    let (mut index, mut assets) = (Vec::new(), Vec::new());
    for page in &pages {
        let text = fs::read_to_string(root.join(&page.path))?;
        let rendered = render_page(&text, &page.path, &names);
        let file = format!("help-{}-{}.html", page.name.replace('/', "-"), short_hash(&rendered.body));
        index.push(describe(page, &rendered, &file));
        assets.push((file, rendered.body));
    }
    assets.insert(0, ("help.json".to_owned(), json!({ "pages": index }).to_string()));
    Ok(assets)
}

fn describe(page: &HelpPage, rendered: &HelpHtml, file: &str) -> Value {
    let headings: Vec<Value> = rendered
        .headings
        .iter()
        .map(|(id, text, level)| json!({ "id": id, "text": text, "level": level }))
        .collect();
    let group = match page.name.split_once('/') {
        Some((group, _)) => group,
        None => "guide",
    };
    json!({
        "name": page.name, "group": group, "file": file,
        "title": rendered.title, "about": rendered.about, "headings": headings,
    })
}

/// The pages: the list of contents, what it links to below its folder, in that order, and the references.
fn find_pages(root: &Path) -> Result<Vec<HelpPage>, Box<dyn Error>> {
    let contents = fs::read_to_string(root.join(CONTENTS))?;
    let mut pages = vec![HelpPage { name: "contents".to_owned(), path: CONTENTS.to_owned() }];
    for event in Parser::new(&contents) {
        let Event::Start(Tag::Link { dest_url, .. }) = event else { continue };
        let Some(path) = resolve(&dest_url, CONTENTS).map(|(path, _)| path) else { continue };
        let below = path.strip_prefix(GUIDES).and_then(|rest| rest.strip_prefix('/')?.strip_suffix(".md"));
        if let Some(name) = below.filter(|_| pages.iter().all(|page| page.path != path)) {
            pages.push(HelpPage { name: name.to_owned(), path: path.clone() });
        }
    }
    for path in SOURCES.iter().filter(|path| **path != GUIDES) {
        let folder = path.split('/').rev().nth(1).unwrap_or_default();
        pages.push(HelpPage { name: format!("reference/{folder}"), path: (*path).to_owned() });
    }
    Ok(pages)
}

/// The path in the repository and the fragment that a relative link of a file names; `None` for addresses.
fn resolve(link: &str, file: &str) -> Option<(String, String)> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (target, fragment) = link.split_once('#').unwrap_or((link, ""));
    if target.is_empty() {
        return Some((file.to_owned(), fragment.to_owned()));
    }
    let mut path = PathBuf::from(file);
    path.pop();
    for part in Path::new(target).components() {
        match part {
            Component::ParentDir => drop(path.pop()),
            part => path.push(part),
        }
    }
    Some((path.to_str()?.to_owned(), fragment.to_owned()))
}

/// Eight capital letters and digits that change with the text.
fn short_hash(text: &str) -> String {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    format!("{:016X}", hasher.finish()).chars().take(8).collect()
}

fn render_page(text: &str, file: &str, names: &HashMap<&str, &str>) -> HelpHtml {
    let events: Vec<Event> = Parser::new_ext(text, Options::ENABLE_TABLES).collect();
    let mut page =
        HelpHtml { body: String::new(), title: String::new(), about: String::new(), headings: Vec::new() };
    let (mut shown, mut linked) = (Vec::with_capacity(events.len()), true);
    for (at, event) in events.iter().enumerate() {
        match event {
            Event::Html(_) | Event::InlineHtml(_) => {}
            Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => {}
            Event::Start(Tag::Heading { level, .. }) => {
                shown.push(open_heading(*level, plain_text(&events[at + 1..]), &mut page));
            }
            Event::Start(Tag::Link { dest_url, .. }) => {
                let opened = open_link(dest_url, file, names);
                linked = opened.is_some();
                shown.extend(opened);
            }
            Event::End(TagEnd::Link) if !linked => linked = true,
            Event::Start(Tag::Paragraph) if page.about.is_empty() && !page.title.is_empty() => {
                page.about = plain_text(&events[at + 1..]);
                shown.push(event.clone());
            }
            // What is wider than the screen moves by the arrow keys, so it takes the focus.
            Event::Start(Tag::Table(_)) => {
                shown.extend([raw("<div class=\"wide\" tabindex=\"0\">"), event.clone()]);
            }
            Event::End(TagEnd::Table) => shown.extend([event.clone(), raw("</div>")]),
            Event::Start(Tag::CodeBlock(kind)) => shown.push(open_block(kind)),
            Event::End(TagEnd::CodeBlock) => shown.push(raw("</code></pre></div>\n")),
            other => shown.push(other.clone()),
        }
    }
    html::push_html(&mut page.body, shown.into_iter());
    page
}

/// The start of a block of code; its language is a word of small letters, or unknown.
fn open_block(kind: &CodeBlockKind) -> Event<'static> {
    let language = match kind {
        CodeBlockKind::Fenced(language) if language.chars().all(|c| c.is_ascii_lowercase()) => language,
        _ => "text",
    };
    raw(&format!("<div class=\"snippet\"><pre tabindex=\"0\" data-language=\"{language}\"><code>"))
}

fn raw(markup: &str) -> Event<'static> {
    Event::Html(CowStr::from(markup.to_owned()))
}

/// The text up to the end of the heading or paragraph.
fn plain_text(events: &[Event]) -> String {
    let ends = |event: &Event| matches!(event, Event::End(TagEnd::Heading(_) | TagEnd::Paragraph));
    let words = events.iter().take_while(|event| !ends(event)).map(|event| match event {
        Event::Text(text) | Event::Code(text) => text.as_ref(),
        Event::SoftBreak | Event::HardBreak => " ",
        _ => "",
    });
    words.collect()
}

/// The start of a heading with its anchor. The first one is the title, and has none.
fn open_heading(level: HeadingLevel, text: String, page: &mut HelpHtml) -> Event<'static> {
    if page.title.is_empty() {
        page.title = text;
        return raw(&format!("<{level}>"));
    }
    let id = anchor(&text);
    let opened = raw(&format!("<{level} id=\"{id}\" tabindex=\"-1\">"));
    page.headings.push((id, text, level as u8));
    opened
}

/// The anchor that code-hosting sites give to a heading: small letters, digits and hyphens.
fn anchor(text: &str) -> String {
    let kept = text
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .collect::<String>();
    kept.replace(' ', "-")
}

/// The start of a link: to a page of the help, or to another site in a tab of its own.
fn open_link(link: &str, file: &str, names: &HashMap<&str, &str>) -> Option<Event<'static>> {
    let Some((path, fragment)) = resolve(link, file) else {
        let address = link.replace('&', "&amp;").replace('"', "&quot;");
        return Some(raw(&format!("<a href=\"{address}\" target=\"_blank\" rel=\"noopener noreferrer\">")));
    };
    let name = names.get(path.as_str())?;
    let fragment = if fragment.is_empty() { fragment } else { format!("#{fragment}") };
    Some(raw(&format!("<a href=\"{}{name}{fragment}\">", ADDRESS.replace('&', "&amp;"))))
}
