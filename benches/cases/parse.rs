//! Bytes to links on one core. Goal: at most 0.45 ms for a page of 40 kB, which is 87 MiB/s.
//!
//! html5ever's own tokenizer is measured for comparison, on the same pages, with its tokens discarded. This is the cost
//! of reading HTML before a tree or a link exists.

use std::cell::Cell;
use std::fmt::Write as _;
use std::hint::black_box;
use std::path::{Path, PathBuf};

use backlinkd::config::ParseConfig;
use backlinkd::model::MediaType;
use backlinkd::parse::{HtmlResponse, parse};
use backlinkd::urls::{CanonicalUrl, UrlRules};
use criterion::{Criterion, Throughput, criterion_group};
use html5ever::TokenizerResult;
use html5ever::buffer_queue::BufferQueue;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{StartTag, TagToken, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};

/// Pages of the built test web that are read, spread evenly over all of them.
const WEB_PAGES: usize = 400;

fn bench_parse(criterion: &mut Criterion) {
    let rules = UrlRules::default();
    let Ok(url) = rules.canonical("https://www.site.example/articles/2024/page.html") else { return };
    let mut group = criterion.benchmark_group("parse");
    group.sample_size(20);
    let generated: Vec<Vec<u8>> = (0..16).map(|seed| article(seed).into_bytes()).collect();
    let web = web_pages();
    if web.is_empty() {
        eprintln!(
            "SKIPPED: parse/built web: ~/.cache/backlinkd/web is absent; build the test web to measure it"
        );
    }
    for (name, pages) in [("generated 40 kB", generated), ("built web", web)] {
        if pages.is_empty() {
            continue;
        }
        group.throughput(Throughput::Bytes(pages.iter().map(|page| page.len() as u64).sum()));
        group.bench_function(name, |bencher| {
            bencher.iter(|| pages.iter().map(|body| links(&url, body, &rules)).sum::<usize>());
        });
        group.bench_function(format!("{name}, html5ever's tokens alone"), |bencher| {
            bencher.iter(|| pages.iter().map(|body| tokens(body)).sum::<usize>());
        });
    }
    let deep = format!("{}<a href=x>x</a>{}", "<div>".repeat(100_000), "</div>".repeat(100_000));
    group.throughput(Throughput::Bytes(deep.len() as u64));
    group.bench_function("100,000 nested div", |bencher| {
        bencher.iter(|| links(&url, deep.as_bytes(), &rules));
    });
    group.finish();
}

fn links(url: &CanonicalUrl, body: &[u8], rules: &UrlRules) -> usize {
    let media_type = MediaType::parse(b"text/html; charset=utf-8");
    let media_type = media_type.as_ref();
    let answer = HtmlResponse { url, media_type, x_robots_tag: &[], refresh: None, link_headers: &[], body };
    black_box(parse(&answer, &ParseConfig::default(), rules, "backlinkd")).links.len()
}

/// Counts the tokens of html5ever's tokenizer.
fn tokens(body: &[u8]) -> usize {
    let tokenizer = Tokenizer::new(Counter(Cell::new(0)), TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(&String::from_utf8_lossy(body)));
    while !matches!(tokenizer.feed(&input), TokenizerResult::Done) {}
    tokenizer.end();
    tokenizer.sink.0.get()
}

/// Responds as a tree builder does where its response decides how the text is tokenized.
struct Counter(Cell<usize>);

impl TokenSink for Counter {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        self.0.set(self.0.get() + 1);
        match token {
            TagToken(tag) if tag.kind == StartTag && &*tag.name == "script" => {
                TokenSinkResult::RawData(RawKind::ScriptData)
            }
            TagToken(tag) if tag.kind == StartTag && &*tag.name == "style" => {
                TokenSinkResult::RawData(RawKind::Rawtext)
            }
            _ => TokenSinkResult::Continue,
        }
    }
}

/// A generated article of about 40 kB: menus, paragraphs, lists, a table, images, inline script and style.
fn article(seed: usize) -> String {
    let mut page = String::from(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>An article</title>\
         <link rel=\"canonical\" href=\"https://www.site.example/articles/canonical\">\
         <style>body{margin:0}.menu li{float:left}</style><script>var a=1;if(a<2){a=3}</script></head><body>",
    );
    for item in 0..60 {
        let _ = write!(
            page,
            "<li class=\"menu-item menu-item-type-custom\"><a href=\"/section/{item}/\">Section {item}</a></li>"
        );
    }
    for paragraph in 0..70 {
        let number = seed * 100 + paragraph;
        let _ = writeln!(
            page,
            "<div class=\"entry-content\"><h2 id=\"h{number}\">Heading {number}</h2><p>Some words of an ordinary \
             sentence, <em>stressed</em> here and there, with a <a href=\"../{number}.html?ref=body\" \
             class=\"internal link\">link to page {number}</a> and one to <a rel=\"nofollow noopener\" \
             href=\"https://other{number}.example/path/to/a/page\">another site</a>, then more words &amp; more \
             words until the paragraph is about as long as paragraphs are.</p>\
             <a href=\"/img/{number}\"><img src=\"/thumbs/{number}.jpg\" alt=\"Picture {number}\"></a></div>"
        );
    }
    page.push_str("</body></html>");
    page
}

fn web_pages() -> Vec<Vec<u8>> {
    let mut files = Vec::new();
    collect(&std::env::home_dir().unwrap_or_default().join(".cache/backlinkd/web/x"), &mut files);
    files.sort();
    let step = (files.len() / WEB_PAGES).max(1);
    files.iter().step_by(step).filter_map(|file| std::fs::read(file).ok()).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() && !path.is_symlink() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "html") {
            files.push(path);
        }
    }
}

criterion_group!(benches, bench_parse);
