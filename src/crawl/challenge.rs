//! Tells a challenge from a page: an answer by which a wall before a site asks for a proof that the visitor is a
//! person, in the place of the page. It says nothing of the page and its links, whatever its status is.
//!
//! A wall is told by the header that its documentation names, or by a piece of text that stands on its challenge pages
//! and on no others. Pages that are checked by a script in the background are no challenges, so the addresses of such
//! scripts are none of the signs.

use memchr::memmem;

use crate::fetch::Answer;

/// Links of a challenge page at most: an imprint, a help page, the wall's own site.
const MOST_LINKS: usize = 8;

/// Bytes of a challenge page at most.
const MOST_BYTES: usize = 128 << 10;

/// Header, what its value holds, and the wall that sends it.
const HEADERS: [(&str, &str, &str); 6] = [
    ("cf-mitigated", "challenge", "Cloudflare"),
    ("x-amzn-waf-action", "challenge", "AWS WAF"),
    ("x-amzn-waf-action", "captcha", "AWS WAF"),
    ("x-vercel-mitigated", "challenge", "Vercel"),
    ("x-vercel-mitigated", "deny", "Vercel"),
    ("sg-captcha", "challenge", "SiteGround"),
];

/// A piece of a challenge page, and the wall whose it is.
const TEXTS: [(&str, &str); 17] = [
    ("_cf_chl_opt", "Cloudflare"),
    ("window.gokuProps", "AWS WAF"),
    ("Incapsula incident ID", "Imperva"),
    ("/_Incapsula_Resource?CWUDNSAI=", "Imperva"),
    ("distil_r_captcha", "Imperva"),
    ("geo.captcha-delivery.com", "DataDome"),
    ("ct.captcha-delivery.com", "DataDome"),
    ("id=\"px-captcha\"", "HUMAN"),
    ("sec-if-cpt-container", "Akamai"),
    ("/_sec/cp_challenge/", "Akamai"),
    ("sucuri_cloudproxy_js", "Sucuri"),
    ("anubis_challenge", "Anubis"),
    ("/.well-known/sgcaptcha/", "SiteGround"),
    ("<title>DDoS-Guard</title>", "DDoS-Guard"),
    ("__qrator/qauth", "Qrator"),
    ("slowAES.decrypt(", "testcookie"),
    ("/_fs-ch-", "Fastly"),
];

/// The wall that sent an answer, if it is a challenge by its headers.
pub(super) fn by_headers(answer: &Answer) -> Option<&'static str> {
    let holds = |name: &str, part: &str| {
        let mut values = answer.headers.get_all(name).iter();
        values.any(|value| memmem::find(&value.as_bytes().to_ascii_lowercase(), part.as_bytes()).is_some())
    };
    HEADERS.iter().find(|(name, part, _)| holds(name, part)).map(|(_, _, wall)| *wall)
}

/// The wall whose challenge a document of so many links is, if it is one.
pub(super) fn by_text(body: &[u8], links: usize) -> Option<&'static str> {
    if links > MOST_LINKS || body.len() > MOST_BYTES {
        return None;
    }
    TEXTS.iter().find(|(text, _)| memmem::find(body, text.as_bytes()).is_some()).map(|(_, wall)| *wall)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walls_are_told_by_their_pages_and_only_short_ones_with_few_links() {
        let page = b"<title>Just a moment...</title><script>window._cf_chl_opt={}</script>";
        assert_eq!(by_text(page, 1), Some("Cloudflare"));
        assert_eq!(by_text(page, MOST_LINKS + 1), None);
        assert_eq!(by_text(&[&page[..], &vec![b' '; MOST_BYTES]].concat(), 1), None);
        assert_eq!(by_text(b"<script src=/cdn-cgi/challenge-platform/scripts/jsd/main.js>", 0), None);
        for (text, wall) in TEXTS {
            assert_eq!(by_text(format!("<p>{text}1").as_bytes(), 0), Some(wall));
        }
    }
}
