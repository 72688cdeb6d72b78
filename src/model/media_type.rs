//! The media type of a response, as browsers determine it.
//!
//! A response may have several types: in several `Content-Type` lines, or in one line as a comma-separated list.
//! [`MediaType::extract`] is "extract a MIME type" of the Fetch Standard (<https://fetch.spec.whatwg.org>, 2.2.2).
//! [`MediaType::parse`] is "parse a MIME type" of the MIME Sniffing Standard (<https://mimesniff.spec.whatwg.org>,
//! 4.4). Of the parameters only `charset` is kept.

/// A valid media type and its charset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaType {
    essence: String,
    charset: Option<String>,
}

impl MediaType {
    /// Parses all `Content-Type` lines of a response. The last valid value other than `*/*` is its type. Without a
    /// charset, it inherits the one of the previous value, as long as both have the same type.
    ///
    /// `None`: no value is valid, so the response has no type.
    pub fn extract<L: AsRef<[u8]>>(lines: impl IntoIterator<Item = L>) -> Option<Self> {
        let mut lines = lines.into_iter();
        let first = lines.next()?;
        let Some(second) = lines.next() else { return last_of_list(first.as_ref()) };
        // An unclosed quotation mark continues in the next line.
        let mut list = [first.as_ref(), second.as_ref()].join(&b", "[..]);
        for line in lines {
            list.extend_from_slice(b", ");
            list.extend_from_slice(line.as_ref());
        }
        last_of_list(&list)
    }

    /// Parses one value, a type with its parameters; `None` when the type is malformed.
    pub fn parse(value: &[u8]) -> Option<Self> {
        let end = value.iter().position(|&b| b == b';').unwrap_or(value.len());
        let essence = value[..end].trim_ascii();
        let slash = essence.iter().position(|&b| b == b'/')?;
        if !is_token(&essence[..slash]) || !is_token(&essence[slash + 1..]) {
            return None;
        }
        let charset = MediaTypeParameters { rest: &value[end..] }.find(|(name, value)| {
            name.eq_ignore_ascii_case(b"charset") && value.iter().all(|&b| is_quotable(b))
        });
        Some(Self {
            essence: latin_1(essence).to_ascii_lowercase(),
            charset: charset.map(|(_, value)| latin_1(&value)),
        })
    }

    /// Type and subtype, in lower case.
    pub fn essence(&self) -> &str {
        &self.essence
    }

    /// The label in the first `charset` parameter.
    pub fn charset(&self) -> Option<&str> {
        self.charset.as_deref()
    }

    /// Whether the type is XML: `text/xml`, `application/xml` or a type that ends in `+xml`.
    pub fn is_xml(&self) -> bool {
        matches!(self.essence.as_str(), "text/xml" | "application/xml") || self.essence.ends_with("+xml")
    }
}

/// The last valid value of a comma-separated list.
fn last_of_list(list: &[u8]) -> Option<MediaType> {
    let mut last: Option<MediaType> = None;
    // The charset of the first in a run of values with the same type.
    let mut charset: Option<String> = None;
    for value in values(list) {
        let Some(mut media_type) = MediaType::parse(value).filter(|found| found.essence != "*/*") else {
            continue;
        };
        if last.as_ref().is_none_or(|last| last.essence != media_type.essence) {
            charset.clone_from(&media_type.charset);
        } else if media_type.charset.is_none() {
            media_type.charset.clone_from(&charset);
        }
        last = Some(media_type);
    }
    last
}

/// The values between the commas outside quoted strings.
fn values(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (mut quoted, mut escaped) = (false, false);
    list.split(move |&byte| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b',' => return !quoted,
            _ => {}
        }
        false
    })
}

/// The parameters of a type, names as written.
struct MediaTypeParameters<'v> {
    /// Starts with a semicolon, unless it is empty.
    rest: &'v [u8],
}

impl<'v> Iterator for MediaTypeParameters<'v> {
    type Item = (&'v [u8], Vec<u8>);

    /// The next parameter with a value.
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let text = self.rest.get(1..)?;
            let text = &text[text.iter().position(|&b| !is_blank(b)).unwrap_or(text.len())..];
            let end = text.iter().position(|b| matches!(b, b';' | b'='))?;
            let name = &text[..end];
            self.rest = &text[end..];
            let Some(text) = self.rest.strip_prefix(b"=") else { continue };
            let (value, read) = match text.strip_prefix(b"\"") {
                Some(quoted) => {
                    let (value, read) = unquoted(quoted);
                    (value, read + 1)
                }
                None => (Vec::new(), 0),
            };
            let end = text[read..].iter().position(|&b| b == b';').map_or(text.len(), |end| read + end);
            self.rest = &text[end..];
            if read > 0 {
                return Some((name, value));
            }
            let value = text[..end].trim_ascii_end();
            if !value.is_empty() {
                return Some((name, value.to_vec()));
            }
        }
    }
}

/// The value of a quoted string, given without its opening quotation mark, and the number of bytes up to and
/// including the closing one.
fn unquoted(text: &[u8]) -> (Vec<u8>, usize) {
    let (mut value, mut at) = (Vec::new(), 0);
    while let Some(&byte) = text.get(at) {
        at += 1;
        match byte {
            b'"' => break,
            // A backslash at the end of the text is literal.
            b'\\' => {
                value.push(text.get(at).copied().unwrap_or(byte));
                at += usize::from(at < text.len());
            }
            _ => value.push(byte),
        }
    }
    (value, at)
}

/// HTTP white space, by the MIME Sniffing Standard.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\r' | b' ')
}

/// Whether a text is a `token` of RFC 9110, 5.6.2.
fn is_token(text: &[u8]) -> bool {
    let is_symbol = |byte| b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.iter().all(|&byte| byte.is_ascii_alphanumeric() || is_symbol(byte))
}

/// Whether a byte is allowed in a quoted string.
fn is_quotable(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~' | 0x80..)
}

fn latin_1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Option<(String, Option<String>)> {
        MediaType::extract(lines).map(|found| (found.essence, found.charset))
    }

    fn expected(essence: &str, charset: Option<&str>) -> Option<(String, Option<String>)> {
        (!essence.is_empty()).then(|| (essence.to_owned(), charset.map(str::to_owned)))
    }

    #[test]
    fn values_are_parsed_by_the_mime_sniffing_standard() {
        for (value, essence, charset) in [
            ("text/html", "text/html", None),
            (" TEXT/Html\t; Charset=GBK ", "text/html", Some("GBK")),
            ("text/html;charset=\"g\\b\\k\"rest;charset=big5", "text/html", Some("gbk")),
            ("text/html;charset=\"gbk", "text/html", Some("gbk")),
            ("text/html;charset=\"gbk\\", "text/html", Some("gbk\\")),
            ("text/html;charset=gbk\"", "text/html", Some("gbk\"")),
            ("text/html;charset='gbk'", "text/html", Some("'gbk'")),
            ("text/html;charset= gbk", "text/html", Some(" gbk")),
            ("text/html;charset =big5;charset=gbk", "text/html", Some("gbk")),
            ("text/html;charset=;charset=gbk", "text/html", Some("gbk")),
            ("text/html;charset=\"\";charset=gbk", "text/html", Some("")),
            ("text/html;charset=\u{7f};charset=gbk", "text/html", Some("gbk")),
            ("text/html ; ; test; x=(;\";charset=gbk", "text/html", Some("gbk")),
            ("text/html;;charset=UTF-8", "text/html", Some("UTF-8")),
            ("text/html;x=\";charset=a\";charset=b", "text/html", Some("b")),
            ("text/html;charset=gbk;charset=big5", "text/html", Some("gbk")),
            ("image/svg+xml;", "image/svg+xml", None),
            ("text/html charset=gbk", "", None),
            ("text /html", "", None),
            ("text/html(;x", "", None),
            ("text/", "", None),
            ("/html", "", None),
            ("html;charset=gbk", "", None),
            ("a/b/c", "", None),
            ("charset=gbk;text/html", "", None),
            ("täxt/html", "", None),
            ("", "", None),
            (" ", "", None),
        ] {
            assert_eq!(read(&[value]), expected(essence, charset), "{value}");
        }
    }

    #[test]
    fn the_last_valid_value_is_the_type_of_the_response() {
        for (lines, essence, charset) in [
            (&["text/plain", "text/html"][..], "text/html", None),
            (&["text/html", "text/plain"], "text/plain", None),
            (&["text/html,text/plain, text/html ,"], "text/html", None),
            (&["text/html", ""], "text/html", None),
            (&["", "text/html"], "text/html", None),
            (&["text/html", "*/*;charset=gbk"], "text/html", None),
            (&["*/*, text/html"], "text/html", None),
            (&["text/html, nonsense", "/", "x"], "text/html", None),
            (&["unknown/unknown, text/html"], "text/html", None),
            (&["nonsense", "*/*"], "", None),
            (&[], "", None),
            // A charset is inherited by values of the same type.
            (&["text/html;charset=gbk", "text/html"], "text/html", Some("gbk")),
            (&["text/html;charset=gbk, TEXT/HTML;x=y"], "text/html", Some("gbk")),
            (&["text/html;charset=gbk", "*/*", "junk", "text/html"], "text/html", Some("gbk")),
            (&["text/html;charset=gbk", "text/html;charset=big5"], "text/html", Some("big5")),
            (&["text/html;charset=gbk", "text/html;charset=big5", "text/html"], "text/html", Some("gbk")),
            (&["text/html", "text/html;charset=big5", "text/html"], "text/html", None),
            (&["text/plain;charset=gbk", "text/html"], "text/html", None),
            (&["text/html;charset=gbk", "text/plain", "text/html"], "text/html", None),
            // Commas in quoted strings separate nothing, and a string may continue in the next line.
            (&["text/html;charset=gbk", "text/html;x=\",text/plain"], "text/html", Some("gbk")),
            (&["text/html;x=\"", "text/plain"], "text/html", None),
            (&["text/html;x=\"\\\",text/plain\",image/png"], "image/png", None),
            (&["text/html;\"", "text/plain"], "text/html", None),
        ] {
            assert_eq!(read(lines), expected(essence, charset), "{lines:?}");
        }
    }

    #[test]
    fn xml_types_are_recognised() {
        for (value, xml) in [
            ("text/xml", true),
            ("application/xml; charset=utf-8", true),
            ("application/rss+xml", true),
            ("application/xhtml+XML", true),
            ("application/xml-dtd", false),
            ("text/html", false),
            ("image/xml", false),
        ] {
            assert_eq!(MediaType::parse(value.as_bytes()).unwrap().is_xml(), xml, "{value}");
        }
    }
}
