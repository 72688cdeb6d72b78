//! A Rust source file, read just far enough to see what it imports.

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
    let (mut depth, mut end) = (0, item.len());
    for (at, c) in item.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 && matches!(c, '}' | ';') {
            end = at + 1;
            break;
        }
    }
    format!("{before}{}", without_tests(&item[end..]))
}
