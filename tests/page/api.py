"""The API without the browser, and figures as the page writes them in English."""

import json
import pathlib
import re
import urllib.error
import urllib.request
from datetime import datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from urllib.parse import quote, urlencode

WEB = pathlib.Path(__file__).parents[2] / "src/web"
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec".split()


class Api:
    """Asks the program directly."""

    def __init__(self, origin, cookie=None):
        self.origin, self.cookie = origin, cookie

    def open(self, path, method="GET", **headers):
        """Status, headers and body."""
        if self.cookie:
            headers["Cookie"] = self.cookie
        request = urllib.request.Request(self.origin + path, method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def ask(self, endpoint, *params):
        """The answer of an endpoint to name and value pairs, once it is complete."""
        query = urlencode([(name, value) for name, value in params], quote_via=quote)
        while True:
            status, _, body = self.open(f"/{endpoint}?{query}" if query else f"/{endpoint}")
            answer = json.loads(body)
            answer["status"] = status
            if answer.get("exportFinished") is not False:
                return answer

    def domains(self, most, order="-backlinks"):
        """The names of the domains in the index, those with most backlinks first."""
        rows = self.ask("domains", ("order[]", order), ("limit", most))["response"]
        return [row["domain"] for row in rows]


def catalogue(language):
    return json.loads((WEB / f"lang/{language}.json").read_text())


ENGLISH = catalogue("en")


def say(key, **values):
    """A message of the English catalogue."""
    entry = ENGLISH[key]
    if not isinstance(entry, str):
        entry = entry["one" if values["n"] == 1 else "other"]
    shown = {name: number(value) if isinstance(value, (int, float)) else value for name, value in values.items()}
    return re.sub(r"\{(\w+)\}", lambda hole: shown[hole[1]], entry)


def has(key):
    return key in ENGLISH


def number(value, digits=0):
    """A number with commas; halves are rounded away from zero, as browsers do."""
    rounded = Decimal(repr(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    return f"{abs(rounded) if not rounded else rounded:,}"


def signed(value):
    return f"+{number(value)}" if value > 0 else number(value)


def share(value):
    return f"{number(value, 1 if value < 10 else 0)} %"


def day(value):
    text = str(value)
    return f"{int(text[6:8])} {MONTHS[int(text[4:6]) - 1]} {text[:4]}" if value else ""


def days_ago(days):
    return (datetime.now(timezone.utc) - timedelta(days=days)).strftime("%Y%m%d")


def next_day(text):
    return (datetime.strptime(text, "%Y%m%d") + timedelta(days=1)).strftime("%Y%m%d")


MARKS = dict(zip("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069", "LRM RLM ALM LRE RLE PDF LRO RLO LRI RLI FSI PDI".split()))


def visible(text):
    """A crawled text as the page shows it: marks that reorder it become symbols."""
    text = "".join(f"⟨{MARKS[letter]}⟩" if letter in MARKS else letter for letter in str(text or ""))
    return re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", text)


def crawled(text):
    shown = visible(text)
    return shown if shown.strip() else say("text.none")


# Labels of the tested webs, as a reader sees them. The last ones imitate Latin names, so they stay as they are.
READABLE = {
    "xn--bcher-kva": "bücher", "xn--r8jz45g": "例え", "xn--zckzah": "テスト",
    "xn--pple-43d": "xn--pple-43d", "xn--80ak6aa92e": "xn--80ak6aa92e",
}


def host_text(name):
    """A host as a reader sees it."""
    return ".".join(READABLE[label] if label.startswith("xn--") else label for label in name.split("."))


def address(url, full=False):
    """An address without its scheme, or with it."""
    scheme, host, rest = re.match(r"(?:(https?)://)?([^/?#]*)(.*)", url, re.S).groups()
    shown = host_text(host)
    try:
        rest = re.sub(r"(%[89A-Fa-f][0-9A-Fa-f])+", lambda run: bytes.fromhex(run[0].replace("%", "")).decode(), rest)
    except UnicodeDecodeError:
        pass
    lead = f"{scheme}://" if full and scheme else ""
    ascii = f" ({host})" if full and shown != host else ""
    return lead + shown + ascii + (visible(rest) if rest and (full or rest != "/") else "")


def domain(name):
    """A domain with its punycode, if that differs."""
    shown = host_text(name)
    return shown if shown == name else f"{shown} {name}"


def squeeze(text):
    return re.sub(r"\s+", "", text)
