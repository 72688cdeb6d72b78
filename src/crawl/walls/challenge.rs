//! Recognises challenges: responses in which a bot wall in front of a site asks the visitor to prove to be a
//! person. A challenge says nothing about the page and its links, whatever its status is.
//!
//! A wall is recognised by the header that its documentation names, or by a text that occurs on its challenge
//! pages and on no others. Pages that a script checks in the background are no challenges, so the URLs of
//! such scripts are not among the signs.

use memchr::memmem;

use crate::fetch::Response;

/// Links of a challenge page at most: an imprint, a help page, the wall's own site.
const MAX_LINKS: usize = 8;

/// Bytes of a challenge page at most.
const MAX_BYTES: usize = 128 << 10;

/// Header, part of its value, and the wall that sends it.
const HEADER_SIGNS: [(&str, &str, &str); 6] = [
    ("cf-mitigated", "challenge", "Cloudflare"),
    ("x-amzn-waf-action", "challenge", "AWS WAF"),
    ("x-amzn-waf-action", "captcha", "AWS WAF"),
    ("x-vercel-mitigated", "challenge", "Vercel"),
    ("x-vercel-mitigated", "deny", "Vercel"),
    ("sg-captcha", "challenge", "SiteGround"),
];

/// A text of a challenge page, and its wall.
const TEXT_SIGNS: [(&str, &str); 17] = [
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

/// The wall that sent a response, if its headers mark a challenge.
pub(in crate::crawl) fn by_headers(response: &Response) -> Option<&'static str> {
    let holds = |name: &str, part: &str| {
        let mut values = response.headers.get_all(name).iter();
        values.any(|value| memmem::find(&value.as_bytes().to_ascii_lowercase(), part.as_bytes()).is_some())
    };
    HEADER_SIGNS.iter().find(|(name, part, _)| holds(name, part)).map(|(_, _, wall)| *wall)
}

/// The wall of a challenge document with this number of links, if it is one.
pub(in crate::crawl) fn by_text(body: &[u8], links: usize) -> Option<&'static str> {
    if links > MAX_LINKS || body.len() > MAX_BYTES {
        return None;
    }
    TEXT_SIGNS.iter().find(|(text, _)| memmem::find(body, text.as_bytes()).is_some()).map(|(_, wall)| *wall)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walls_are_recognised_by_short_pages_with_few_links() {
        let page = b"<title>Just a moment...</title><script>window._cf_chl_opt={}</script>";
        assert_eq!(by_text(page, 1), Some("Cloudflare"));
        assert_eq!(by_text(page, MAX_LINKS + 1), None);
        assert_eq!(by_text(&[&page[..], &vec![b' '; MAX_BYTES]].concat(), 1), None);
        assert_eq!(by_text(b"<script src=/cdn-cgi/challenge-platform/scripts/jsd/main.js>", 0), None);
        for (text, wall) in TEXT_SIGNS {
            assert_eq!(by_text(format!("<p>{text}1").as_bytes(), 0), Some(wall));
        }
    }
}
