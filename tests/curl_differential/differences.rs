//! The responses that backlinkd and curl read differently, each with the reason.

const LENIENT_LINE: &str = "Browsers pass by a line that is no header field; curl gives the answer up.";
const LENIENT_LENGTH: &str = "A length that is no number says nothing, so that the body ends with the connection; curl gives the answer up.";
const LENIENT_STATUS: &str = "The status can be read, whatever stands before it; curl takes the answer for one of HTTP/0.9 and gives it up.";
const MEMBERS: &str = "A gzip text may have several members (RFC 1952, 2.2); curl reads the first.";
const CONTROL: &str =
    "A control character in a header field is read as a blank (RFC 9110, 5.5); curl gives the answer up.";
const NEXT_PROTOCOL: &str =
    "After a 101 the connection speaks another protocol (RFC 9110, 15.2.2), whose bytes are no page.";
const NO_HTML: &str = "Its type says that it is no HTML, and nothing else is read.";

/// By the name of the response.
pub const DIFFERENCES: [(&str, &str); 30] = [
    (
        "chunk-many-zeros-before",
        "The size of a chunk may have zeros before it (RFC 9112, 7.1); curl reads sixteen digits at most.",
    ),
    ("gzip-second-member-cut", MEMBERS),
    ("gzip-two-members", MEMBERS),
    ("head-folded-at-once", LENIENT_LINE),
    ("header-first-no-colon", LENIENT_LINE),
    ("header-html", LENIENT_LINE),
    ("header-no-colon", LENIENT_LINE),
    ("header-nul-in-name", LENIENT_LINE),
    ("header-nul-in-value", CONTROL),
    (
        "header-of-200k",
        "A head may have 400 kB, however long its lines are; a line of curl's has 100 kB at most.",
    ),
    ("header-status-line-again", LENIENT_LINE),
    ("interim-101", NEXT_PROTOCOL),
    ("interim-101-upgrade", NEXT_PROTOCOL),
    ("length-empty", LENIENT_LENGTH),
    (
        "length-hex",
        "A length that is no number says nothing; curl reads the digits before the x, which is none.",
    ),
    ("length-negative", LENIENT_LENGTH),
    ("length-quoted", LENIENT_LENGTH),
    ("length-word", LENIENT_LENGTH),
    (
        "name-charset",
        "A content coding that nobody knows is passed by, as browsers do, for servers write charsets there; curl gives \
         the answer up.",
    ),
    ("status-blank-before", LENIENT_STATUS),
    ("status-blank-line-before", LENIENT_STATUS),
    ("status-http-1", LENIENT_STATUS),
    ("status-http-1.10", LENIENT_STATUS),
    ("status-http-1.2", LENIENT_STATUS),
    ("status-http-1.9", LENIENT_STATUS),
    ("status-http-3", LENIENT_STATUS),
    ("status-tab", LENIENT_STATUS),
    (
        "te-unknown",
        "A transfer coding that nobody knows is passed by, as browsers do; curl gives the answer up.",
    ),
    ("type-image", NO_HTML),
    ("type-last-line-plain", NO_HTML),
];

/// Responses that curl calls incomplete and backlinkd complete, each with the reason.
pub const WHOLE: [(&str, &str); 1] = [(
    "length-doubled-unequal",
    "Of two lengths that contradict each other none holds, so that the body ends with the connection; curl goes by the \
     last.",
)];
