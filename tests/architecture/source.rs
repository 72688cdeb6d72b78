//! A Rust source file, read just far enough to see its imports, types, functions and comments.

/// One file below `src`.
pub struct Source {
    /// Below `src`: `fetch/robots_txt.rs`.
    pub path: String,
    /// `fetch::robots_txt`.
    pub module: String,
    pub text: String,
    /// The text without comments, the insides of strings and items under `#[cfg(test)]`.
    pub code: String,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        let module = path.trim_end_matches(".rs").trim_end_matches("/mod").replace('/', "::");
        let code = without_tests(&without_comments_and_strings(text));
        Self { path: path.to_owned(), module, text: text.to_owned(), code }
    }

    /// Every path into this crate, from its root: `fetch::robots_txt::Rules`.
    pub fn imports(&self) -> Vec<String> {
        let mut found = Vec::new();
        for (start, _) in self.code.match_indices("crate::").filter(|(at, _)| self.is_path_start(*at)) {
            self.expand(String::new(), &self.code[start + "crate::".len()..], &mut found);
        }
        for (start, _) in self.code.match_indices("super::").filter(|(at, _)| self.is_path_start(*at)) {
            let (mut module, mut rest) = (self.module.as_str(), &self.code[start..]);
            while let Some(after) = rest.strip_prefix("super::") {
                module = module.rsplit_once("::").map_or("", |(parent, _)| parent);
                rest = after;
            }
            self.expand(module.to_owned(), rest, &mut found);
        }
        found
    }

    /// The names of its types: those of the file itself, of modules within it and of macro calls such as `pin_project!`.
    /// Types within functions and associated types are left out.
    pub fn types(&self) -> Vec<&str> {
        let (mut types, mut start) = (Vec::new(), 0);
        // Whether each open brace contains items.
        let mut holds_items: Vec<bool> = Vec::new();
        for (at, c) in self.code.char_indices().filter(|(_, c)| matches!(c, '{' | '}' | ';')) {
            let head = without_attributes(&self.code[start..at]);
            let is_item = holds_items.iter().all(|holds| *holds);
            types.extend(type_name(head).filter(|_| is_item));
            match c {
                '{' => holds_items.push(is_item && (is_module(head) || head.trim_end().ends_with('!'))),
                '}' => _ = holds_items.pop(),
                _ => {}
            }
            start = at + 1;
        }
        types
    }

    /// The name of each function, and the number of its lines after the first.
    pub fn functions(&self) -> Vec<(&str, usize)> {
        let mut functions = Vec::new();
        for (start, _) in self.code.match_indices("fn ").filter(|(at, _)| self.is_path_start(*at)) {
            let rest = &self.code[start + "fn ".len()..];
            let name = rest.split(|c| !is_word_char(c)).next().unwrap_or_default();
            if let Some(body) = body_start(rest) {
                let end = body + item_length(&rest[body..]);
                functions.push((name, rest[..end].matches('\n').count()));
            }
        }
        functions
    }

    /// The sentences and clauses of its comments, without tables and examples. Each ends in one of `.!?:;`, or with its
    /// paragraph or list item.
    pub fn sentences(&self) -> Vec<String> {
        let (mut sentences, mut is_example) = (vec![String::new()], false);
        for line in self.text.lines() {
            let comment = line.trim().strip_prefix("//").unwrap_or_default();
            let text = comment.trim_start_matches(['/', '!']).trim();
            is_example ^= text.starts_with("```");
            let is_prose = !is_example && !text.starts_with('|') && !text.starts_with("```");
            if !is_prose || text.is_empty() || is_list_item(text) {
                sentences.push(String::new());
            }
            if let Some(paragraph) = sentences.last_mut().filter(|_| is_prose) {
                *paragraph += &format!("{text} ");
            }
        }
        for end in [". ", "! ", "? ", ": ", "; "] {
            sentences = sentences.iter().flat_map(|text| text.split(end)).map(str::to_owned).collect();
        }
        sentences
    }

    /// Whether the code names a crate: `name::…`, `use name;` or in a group.
    pub fn uses_crate(&self, name: &str) -> bool {
        self.code.match_indices(name).any(|(at, _)| {
            let after = &self.code[at + name.len()..];
            let before = self.code[..at].trim_end();
            let is_word = !after.starts_with(is_word_char);
            let is_use = before.ends_with("use") || before.ends_with(['{', ',']) && self.in_use(at);
            self.is_path_start(at) && is_word && (after.starts_with("::") || is_use)
        })
    }

    fn in_use(&self, at: usize) -> bool {
        let statement = self.code[..at].rfind(';').map_or(0, |end| end + 1);
        self.code[statement..at].trim_start().starts_with("use ")
    }

    fn is_path_start(&self, at: usize) -> bool {
        !self.code[..at].ends_with(|c| is_word_char(c) || c == ':')
    }

    /// Follows `a::{b, c::d}`, which stands at the start of `rest`, below `path`.
    fn expand(&self, mut path: String, mut rest: &str, found: &mut Vec<String>) {
        loop {
            rest = rest.trim_start();
            if let Some(group) = rest.strip_prefix('{') {
                for part in parts_of_group(group) {
                    self.expand(path.clone(), part, found);
                }
                return;
            }
            let end = rest.find(|c| !is_word_char(c)).unwrap_or(rest.len());
            let (segment, after) = rest.split_at(end);
            if !segment.is_empty() && segment != "self" {
                path = if path.is_empty() { segment.to_owned() } else { format!("{path}::{segment}") };
            }
            match after.strip_prefix("::") {
                Some(more) => rest = more,
                None => break,
            }
        }
        if !path.is_empty() {
            found.push(path);
        }
    }
}

/// Whether the head of an item, which ends before its brace, is that of a module.
fn is_module(head: &str) -> bool {
    head.split_whitespace().rev().nth(1) == Some("mod")
}

/// The name of the type that begins with this head, without its attributes.
fn type_name(head: &str) -> Option<&str> {
    let head = match head.trim_start().strip_prefix("pub") {
        Some(rest) if rest.starts_with('(') => rest.split_once(')')?.1,
        Some(rest) if rest.starts_with(' ') => rest,
        _ => head,
    };
    let (kind, name) = head.trim_start().split_once(' ')?;
    let is_type = ["struct", "enum", "trait", "union", "type"].contains(&kind);
    name.split(|c| !is_word_char(c)).next().filter(|name| is_type && !name.is_empty())
}

/// The rest of the head of an item after its attributes.
fn without_attributes(head: &str) -> &str {
    let mut rest = head.trim_start();
    while let Some(attribute) = rest.strip_prefix("#[").or_else(|| rest.strip_prefix("#![")) {
        let mut depth = 1;
        let end = attribute.find(|c| {
            depth += i32::from(c == '[') - i32::from(c == ']');
            depth == 0
        });
        rest = end.map_or("", |end| attribute[end + 1..].trim_start());
    }
    rest
}

/// The position of the brace that begins the body of a function; `None` if it has none.
fn body_start(function: &str) -> Option<usize> {
    let mut depth = 0;
    let (start, c) = function.char_indices().find(|(_, c)| {
        depth += i32::from(matches!(c, '(' | '[')) - i32::from(matches!(c, ')' | ']'));
        depth == 0 && matches!(c, '{' | ';')
    })?;
    (c == '{').then_some(start)
}

/// The length of the item at the start of `code`, up to its last brace or its semicolon.
fn item_length(code: &str) -> usize {
    let mut depth = 0;
    let end = code.char_indices().find(|(_, c)| {
        depth += i32::from(*c == '{') - i32::from(*c == '}');
        depth == 0 && matches!(c, '}' | ';')
    });
    end.map_or(code.len(), |(at, _)| at + 1)
}

fn is_list_item(text: &str) -> bool {
    let is_number = |mark: &str| mark.parse::<u8>().is_ok();
    text.starts_with("* ")
        || text.starts_with("- ")
        || text.split_once(". ").is_some_and(|(mark, _)| is_number(mark))
}

fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The parts between the commas of a group, whose opening brace was taken off.
fn parts_of_group(group: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                parts.push(&group[start..at]);
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    parts.retain(|part| !part.trim().is_empty());
    parts
}

fn without_comments_and_strings(text: &str) -> String {
    let (mut code, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(c) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(length) = literal_length(rest).filter(|_| !code.ends_with(is_word_char)) {
            code.push_str("\"\"");
            length
        } else {
            code.push(c);
            c.len_utf8()
        };
        rest = &rest[length..];
    }
    code
}

/// The length of the string or character literal at the start of `rest`.
fn literal_length(rest: &str) -> Option<usize> {
    let body = rest.strip_prefix('b').unwrap_or(rest);
    let prefix = rest.len() - body.len();
    if let Some(raw) = body.strip_prefix('r') {
        let hashes = raw.bytes().take_while(|&b| b == b'#').count();
        let inside = raw[hashes..].strip_prefix('"')?;
        let close = format!("\"{}", "#".repeat(hashes));
        return Some(prefix + 2 + hashes + inside.find(&close)? + close.len());
    }
    let quote = body.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let mut escaped = false;
    for (at, c) in body.char_indices().skip(1) {
        // A quote that is not closed after one character begins a lifetime.
        if quote == '\'' && at > 1 && !escaped && c != '\'' && !body.starts_with("'\\") {
            return None;
        }
        if c == quote && !escaped {
            return Some(prefix + at + 1);
        }
        escaped = c == '\\' && !escaped;
    }
    None
}

fn without_tests(code: &str) -> String {
    let Some((before, item)) = code.split_once("#[cfg(test)]") else { return code.to_owned() };
    let end = item_length(item);
    format!("{before}{}", without_tests(&item[end..]))
}
