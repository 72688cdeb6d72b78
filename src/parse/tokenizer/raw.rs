//! The end of raw text, in elements whose content is not markup: sections 13.2.5.2 to 5 and 9 to 31 of the HTML
//! standard.

use html5ever::tokenizer::states::RawKind;

/// A script is text up to `</script`. Between `<!--` and `-->` it can contain another whole script.
#[derive(Clone, Copy, PartialEq)]
enum ScriptState {
    Plain,
    /// After `<!--`.
    Escaped,
    /// After `<script` in that state.
    DoubleEscaped,
}

/// The offset of the end tag for an element with this name; the end of the document without one.
pub(super) fn find_end(bytes: &[u8], start: usize, kind: RawKind, name: &[u8]) -> usize {
    let length = match kind {
        RawKind::Rcdata | RawKind::Rawtext => end_of_text(&bytes[start..], name),
        RawKind::ScriptData | RawKind::ScriptDataEscaped(_) => end_of_script(&bytes[start..], name),
    };
    length.map_or(bytes.len(), |length| start + length)
}

fn end_of_text(bytes: &[u8], name: &[u8]) -> Option<usize> {
    memchr::memchr_iter(b'<', bytes).find(|&at| is_tag(&bytes[at..], b"</", name))
}

fn end_of_script(bytes: &[u8], name: &[u8]) -> Option<usize> {
    let (mut state, mut at) = (ScriptState::Plain, 0);
    loop {
        at += match state {
            ScriptState::Plain => memchr::memchr(b'<', &bytes[at..]),
            ScriptState::Escaped | ScriptState::DoubleEscaped => memchr::memchr2(b'<', b'-', &bytes[at..]),
        }?;
        let rest = &bytes[at..];
        let closes = is_tag(rest, b"</", name);
        if closes && state != ScriptState::DoubleEscaped {
            return Some(at);
        }
        state = match state {
            ScriptState::Plain if rest.starts_with(b"<!--") => {
                // The two hyphens may belong to a `-->` too.
                at += 1;
                ScriptState::Escaped
            }
            ScriptState::Escaped if is_tag(rest, b"<", b"script") => ScriptState::DoubleEscaped,
            ScriptState::DoubleEscaped if is_tag(rest, b"</", b"script") => ScriptState::Escaped,
            _ if rest.starts_with(b"-->") => ScriptState::Plain,
            unchanged => unchanged,
        };
        at += 1;
    }
}

/// Whether the bytes start with a tag of this name.
fn is_tag(bytes: &[u8], opening: &[u8], name: &[u8]) -> bool {
    let Some((start, rest)) = bytes.strip_prefix(opening).and_then(|tag| tag.split_at_checked(name.len()))
    else {
        return false;
    };
    start.eq_ignore_ascii_case(name)
        && matches!(rest.first(), Some(b'\t' | b'\n' | b'\x0c' | b' ' | b'/' | b'>'))
}
