//! Where the text of an element whose content is no markup ends: the HTML standard's 13.2.5.2 to 5 and 9 to 31.

use html5ever::tokenizer::states::RawKind;

/// Scripts are text up to `</script`, but what stands in `<!--` and `-->` can hold a whole script of its own.
#[derive(Clone, Copy, PartialEq)]
enum Script {
    Plain,
    /// Behind `<!--`.
    Escaped,
    /// Behind `<script` in that.
    DoubleEscaped,
}

/// Where the end tag begins that ends the text of an element of this name; the end of the document, when there is
/// none.
pub(super) fn end(bytes: &[u8], start: usize, kind: RawKind, name: &[u8]) -> usize {
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
    let (mut state, mut at) = (Script::Plain, 0);
    loop {
        at += match state {
            Script::Plain => memchr::memchr(b'<', &bytes[at..]),
            Script::Escaped | Script::DoubleEscaped => memchr::memchr2(b'<', b'-', &bytes[at..]),
        }?;
        let rest = &bytes[at..];
        let closes = is_tag(rest, b"</", name);
        if closes && state != Script::DoubleEscaped {
            return Some(at);
        }
        state = match state {
            Script::Plain if rest.starts_with(b"<!--") => {
                // The two hyphens may be those of `-->` too.
                at += 1;
                Script::Escaped
            }
            Script::Escaped if is_tag(rest, b"<", b"script") => Script::DoubleEscaped,
            Script::DoubleEscaped if is_tag(rest, b"</", b"script") => Script::Escaped,
            _ if rest.starts_with(b"-->") => Script::Plain,
            unchanged => unchanged,
        };
        at += 1;
    }
}

/// Whether bytes begin with a tag of this name.
fn is_tag(bytes: &[u8], opening: &[u8], name: &[u8]) -> bool {
    let Some((start, rest)) = bytes.strip_prefix(opening).and_then(|tag| tag.split_at_checked(name.len()))
    else {
        return false;
    };
    start.eq_ignore_ascii_case(name)
        && matches!(rest.first(), Some(b'\t' | b'\n' | b'\x0c' | b' ' | b'/' | b'>'))
}
