//! A page, split into the blocks that a reader runs and what the page says they print.

use super::root;

/// The languages of blocks that run.
const RUN: [&str; 5] = ["sh", "python", "js", "r", "sql"];
/// The languages of blocks that show what the block before them prints.
const SHOWN: [&str; 2] = ["text", "json"];

pub struct Page {
    pub name: String,
    /// What has to be there: `web` or `demo`.
    pub needs: Option<String>,
    pub blocks: Vec<Block>,
    /// Each table that is marked as `calls`: its rows as cells, without its head.
    pub calls: Vec<Vec<String>>,
}

#[derive(Debug)]
pub struct Block {
    /// The number of its first line in the page.
    pub line: usize,
    pub language: String,
    pub text: String,
    notes: Vec<String>,
    /// Language and text of what it prints.
    pub shown: Option<(String, String)>,
}

impl Block {
    /// The rest of a note that begins with this word.
    pub fn note(&self, word: &str) -> Option<&str> {
        self.notes.iter().find_map(|note| Some(note.strip_prefix(word)?.trim()))
    }
}

impl Page {
    pub fn read(name: &str) -> Self {
        Self::parse(name, &std::fs::read_to_string(root().join(name)).unwrap())
    }

    pub fn parse(name: &str, text: &str) -> Self {
        let mut page = Self { name: name.to_owned(), needs: None, blocks: Vec::new(), calls: Vec::new() };
        let mut lines = text.lines().enumerate();
        let (mut notes, mut follows) = (Vec::<String>::new(), false);
        while let Some((at, line)) = lines.next() {
            let inner = line.trim_start();
            if let Some(note) = inner.strip_prefix("<!-- test: ") {
                let note = note.strip_suffix(" -->").unwrap_or_else(|| panic!("{name}: {line}"));
                match note {
                    "web" | "demo" => page.needs = Some(note.to_owned()),
                    note => notes.push(note.to_owned()),
                }
            } else if let Some(language) = inner.strip_prefix("```") {
                let indent = line.len() - inner.len();
                let content = lines.by_ref().map(|(_, line)| line.get(indent..).unwrap_or_default());
                let text: String =
                    content.take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect();
                if RUN.contains(&language) {
                    let (language, notes) = (language.to_owned(), std::mem::take(&mut notes));
                    page.blocks.push(Block { line: at + 2, language, text, notes, shown: None });
                } else if follows && SHOWN.contains(&language) {
                    page.blocks.last_mut().unwrap().shown = Some((language.to_owned(), text));
                }
                follows = RUN.contains(&language);
            } else if inner.starts_with('#') {
                follows = false;
            } else if inner.starts_with('|') && notes.iter().any(|note| note == "calls") {
                page.calls.push(cells(inner));
            } else if !inner.is_empty() && !page.calls.is_empty() {
                notes.retain(|note| note != "calls");
            }
        }
        // The head of the table and the line below it.
        page.calls.drain(..page.calls.len().min(2));
        page
    }
}

/// The cells of a row; a `|` within backticks belongs to its cell.
fn cells(row: &str) -> Vec<String> {
    let (mut cells, mut in_code) = (vec![String::new()], false);
    for c in row.trim().trim_matches('|').chars() {
        in_code ^= c == '`';
        match c {
            '|' if !in_code => cells.push(String::new()),
            c => cells.last_mut().unwrap().push(c),
        }
    }
    cells.iter().map(|cell| cell.trim().to_owned()).collect()
}

#[test]
fn blocks_have_notes_and_what_they_show() {
    let text = "# A\n\n<!-- test: demo -->\n\n1. Do it.\n\n   <!-- test: input secret -->\n   ```sh\n   a <<'E'\n     b\n   E\n   ```\n\n\
                \x20  words\n\n   ```json\n   {}\n   ```\n\n   ```text\n   no\n   ```\n\n```sh\nc\n```\n\n## B\n\n```text\nnot shown\n```\n\n\
                <!-- test: calls -->\n\n| x | y |\n|---|---|\n| `a|b` | 2 |\n\n| no | no |\n";
    let page = Page::parse("a.md", text);
    assert_eq!((page.needs.as_deref(), page.blocks.len()), (Some("demo"), 2));
    let [first, second] = &page.blocks[..] else { panic!() };
    assert_eq!((first.line, first.text.as_str()), (9, "a <<'E'\n  b\nE\n"));
    assert_eq!((first.note("input"), first.note("skip")), (Some("secret"), None));
    assert_eq!(first.shown, Some(("json".to_owned(), "{}\n".to_owned())));
    assert_eq!((second.text.as_str(), &second.shown), ("c\n", &None));
    assert_eq!(page.calls[0], ["`a|b`", "2"]);
}
