"""What a reader does: search, look, filter, go back, take a file away; by mouse, by keyboard, and in every shape."""

import csv
import io
import json
import pathlib
import re
from urllib.parse import parse_qs, quote, urlsplit

from api import Api, catalogue, say, squeeze
from chromium import Fault, hold, same
from views import views

WIDTHS = (390, 1280, 1920)
FIRST_VIEW, EVERYTHING = 60_000, 130_000
# Texts that show a fault of the page itself: names of messages, and values that are none.
SLIPS = re.compile(r"\b(?:undefined|NaN|Invalid Date|\[object \w+\])|\b(?:nav|field|state|cards|count|tag|op|page)\.[a-z]+\b|\{\w+\}")


def params(tab):
    return {name: values[-1] for name, values in parse_qs(urlsplit(tab.page.url).query).items()}


def search_leads_to_overview_filter_and_file(browser):
    api, tab = Api(browser.origin), browser.tab()
    name = api.domains(1)[0]
    tab.open("/")
    tab.page.fill("#search", name)
    tab.page.press("#search", "Enter")
    tab.settle()
    same((params(tab).get("url"), tab.text("h1 bdi")), (name, name), "the subject")
    summary = api.ask("summary", ("url", name))
    figures = tab.texts(".card.kpi .big")
    same(figures[2], f"{summary['backlinks']:,}", "the card of backlinks")
    tab.page.click("nav.side a[href*='view=backlinks']")
    tab.settle()
    tab.page.click("#add-filter")
    tab.page.select_option(".builder select >> nth=0", "nofollow")
    tab.page.select_option(".builder select >> nth=2", "false")
    tab.page.click(".builder button.primary")
    tab.settle()
    same(params(tab)["where"], "nofollow eq false", "the filter in the address")
    asked = (("url", name), ("where", "nofollow eq false"))
    answer = api.ask("backlinks", *asked, ("limit", 50))
    hold(0 < answer["count"] < summary["backlinks"], "the filter leaves all rows or none")
    same(squeeze(tab.text(".listhead .total")), squeeze(say("count.links", n=answer["count"])), "the count of rows")
    targets = tab.page.eval_on_selector_all("td.c-linktarget bdi", "(cells) => cells.map((cell) => cell.title)")
    same(targets, [row["linktarget"] for row in answer["response"]], "the column of targets")
    with tab.page.expect_download() as download:
        tab.page.click(".tablefoot a[href*='format=csv']")
    same(download.value.suggested_filename, f"backlinks-{name}.csv", "the name of the file")
    rows = list(csv.DictReader(io.StringIO(pathlib.Path(download.value.path()).read_text())))
    everything = api.ask("backlinks", *asked, ("limit", 10_000))["response"]
    same(len(rows), answer["count"], "the number of rows in the file")
    for row, expected in zip(rows, everything):
        same(set(row), set(expected), "the columns of the file")
        for field, value in expected.items():
            same(row[field], value if isinstance(value, str) else json.dumps(value), f"{field} in the file")


def a_wrong_condition_is_marked(browser):
    api, tab = Api(browser.origin), browser.tab()
    name = api.domains(1)[0]
    where = "nofollow eq false AND pos ge high AND tag eq 'a'"
    tab.expected.add(400)
    tab.open(f"/?url={name}&view=backlinks&where={quote(where)}")
    sentence = api.ask("backlinks", ("url", name), ("where", where))["error"]
    chips = tab.page.locator(".chips .chip:has(.field)")
    same([("bad" in chips.nth(at).get_attribute("class").split()) for at in range(chips.count())], [False, True, False], "the marked chips")
    described = chips.nth(1).locator("button").first.get_attribute("aria-describedby")
    hold(sentence in tab.page.locator(f"[id='{described}']").inner_text(), "the chip is not described by the sentence of the API")
    tab.page.locator(".chip.bad button[aria-label]").click()
    tab.settle()
    same(tab.page.locator(".chip.bad, .refusal").count(), 0, "the number of marks after the condition is removed")
    hold(tab.page.locator("tr[data-row]").count() > 0, "the list stays empty after the condition is removed")


def back_and_forward_show_what_was_there(browser):
    api, tab = Api(browser.origin), browser.tab()
    name = api.domains(1)[0]
    seen = []

    def note():
        tab.settle()
        seen.append((tab.page.url, squeeze(tab.text("#main"))))

    tab.open("/")
    note()
    tab.page.click(f".strongest a[href='/?url={name}']")
    note()
    tab.page.click("nav.side a[href*='view=linktexts']")
    note()
    tab.page.click("th a[href*='order=']")
    note()
    for steps, to in ((-1, 2), (-1, 1), (-1, 0), (1, 1), (2, 3)):
        tab.page.evaluate("(steps) => history.go(steps)", steps)
        tab.page.wait_for_url(lambda url: url == seen[to][0])
        tab.settle()
        if to:
            same(squeeze(tab.text("#main")), seen[to][1], f"the view at {seen[to][0]}")
    hold(len({text for _, text in seen}) == len(seen), "two steps show the same")


def focused(tab):
    """The element with the focus, and whether its focus can be seen."""
    return tab.page.evaluate("""() => {
        const element = document.activeElement, style = getComputedStyle(element);
        const marked = (style) => style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0 || style.boxShadow !== 'none';
        const around = element.closest('form.search, label, .chip');
        return { id: element.id, tag: element.localName, href: element.getAttribute('href') ?? '', text: element.textContent.trim().slice(0, 40),
            inner: !!element.closest('.builder'), seen: marked(style) || !!around && marked(getComputedStyle(around)) };
    }""")


def tab_to(tab, wanted, what, most=80):
    for _ in range(most):
        tab.page.keyboard.press("Tab")
        now = focused(tab)
        hold(now["tag"] == "body" or now["seen"], f"the focus on {now} cannot be seen")
        if wanted(now):
            return
    raise Fault(f"Tab does not reach {what}")


def a_keyboard_is_enough(browser):
    api, tab = Api(browser.origin), browser.tab()
    name = api.domains(1)[0]
    tab.open("/")
    tab_to(tab, lambda now: now["id"] == "search", "the search")
    tab.page.keyboard.type(name[:5])
    tab.page.locator("[role=option]").first.wait_for()
    tab.page.keyboard.press("ArrowDown")
    chosen = tab.page.locator("[role=option][aria-selected=true] .name").inner_text()
    tab.page.keyboard.press("Enter")
    tab.settle()
    hold(params(tab)["url"] in chosen, "Enter does not take the suggestion")
    tab.page.keyboard.press("/")
    same(focused(tab)["id"], "search", "the focus after /")
    tab.page.keyboard.press("Control+A")
    tab.page.keyboard.type(name)
    tab.page.keyboard.press("Enter")
    tab.settle()
    tab_to(tab, lambda now: "view=backlinks" in now["href"] and "where" not in now["href"], "the list of backlinks")
    tab.page.keyboard.press("Enter")
    tab.settle()
    tab_to(tab, lambda now: now["id"] == "add-filter", "the filter")
    tab.page.keyboard.press("Enter")
    tab.page.locator(".builder").wait_for()
    hold(focused(tab)["inner"], "the form of the filter has no focus")
    # Letters choose in a list of options.
    tab.page.keyboard.type("Nofollow")
    tab_to(tab, lambda now: now["tag"] == "button" and now["inner"], "the button of the form")
    tab.page.keyboard.press("Enter")
    tab.settle()
    same(params(tab).get("where"), "nofollow eq true", "the filter")
    same(focused(tab)["id"], "add-filter", "the focus after the filter")
    tab.page.keyboard.press("j")
    hold(tab.page.evaluate("document.activeElement.matches('tr[data-row]')"), "j does not lead to a row")
    tab.page.keyboard.press("Enter")
    tab.settle()
    same(params(tab)["view"], "page", "the view after Enter on a row")
    for keys, view in (("gr", "referringdomains"), ("ga", "linktexts"), ("gl", "lostbacklinks"), ("gc", "crawl")):
        tab.page.keyboard.press(keys[0])
        tab.page.keyboard.press(keys[1])
        tab.settle()
        same(params(tab)["view"], view, f"the view after {keys}")
        tab.page.go_back()
        tab.settle()
    tab.page.keyboard.press("?")
    tab.page.locator("dialog[open]").wait_for()
    tab.page.keyboard.press("Escape")
    same(tab.page.locator("dialog[open]").count(), 0, "the number of dialogs after Escape")


def tour(browser, language, scheme):
    api = Api(browser.origin)
    words = catalogue(language)
    tab = browser.tab(locale={"en": "en-GB", "de": "de-DE"}[language], color_scheme=scheme)
    wrong = []
    tab.open("/")
    same(tab.page.evaluate("document.documentElement.lang"), language, "the language of the document")
    back = tab.page.evaluate("getComputedStyle(document.body).backgroundColor")
    light = sum(map(int, re.findall(r"\d+", back)[:3])) > 380
    same(light, scheme == "light", f"a light background ({back}) in the {scheme} scheme")
    for name, address in views(api):
        tab.go(address)
        shown = tab.text("#main")
        slip = SLIPS.search(re.sub(r"https?://\S+|`.*?`", "", shown)) if name != "api" else None
        wrong += [f"{name} shows {slip[0]}"] if slip else []
        wrong += [f"{name} is blank: {shown!r}"] if len(shown.strip()) < 20 else []
        # A view whose endpoint is absent says so.
        wrong += [f"{name} cannot be shown"] if words["state.fault"] in shown else []
        if f"nav.{name}" in words and name not in ("start", "domains", "api", "crawl", "page"):
            current = tab.page.locator("nav.side [aria-current=page]")
            label = current.inner_text() if current.count() else tab.text("h1")
            wrong += [f"{name} is named {label}"] if label != words[f"nav.{name}"] else []
        for width in WIDTHS:
            tab.page.set_viewport_size({"width": width, "height": 900})
            wide = tab.page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(document.documentElement.scrollWidth))))")
            wrong += [f"{name} is {wide} wide at {width}"] if wide > width else []
        tab.page.set_viewport_size({"width": 1280, "height": 900})
    hold(not wrong, "; ".join(wrong))


def every_view_fits_in_english_and_light(browser):
    tour(browser, "en", "light")


def every_view_fits_in_german_and_dark(browser):
    tour(browser, "de", "dark")


def language_and_colours_can_be_chosen_and_stay(browser):
    tab = browser.tab()
    tab.open("/")
    tab.page.click(".top details.drop summary")
    tab.page.click(".top button[lang=de]")
    tab.shows(catalogue("de")["start.heading"])
    tab.page.click(f".top button[aria-label='{catalogue('de')['theme.dark']}']")
    tab.page.reload()
    tab.settle()
    same(tab.page.evaluate("[document.documentElement.lang, document.documentElement.dataset.theme]"), ["de", "dark"], "language and colours after a reload")
    tab.shows(catalogue("de")["start.heading"])


def packed(api, path):
    """The bytes of a file as a browser gets it; short ones are sent as they are."""
    status, headers, body = api.open(path, **{"Accept": "text/html", "Accept-Encoding": "gzip"})
    same((status, headers["Content-Encoding"] == "gzip" or len(body) < 1500), (200, True), f"status of {path}, and whether it is compressed,")
    return len(body)


def the_page_is_small(browser):
    """The first view is what a browser loads before it asks the API; the whole is every script and style."""
    api, tab = Api(browser.origin), browser.tab()
    loaded = []
    tab.page.on("request", lambda request: loaded.append(urlsplit(request.url).path))
    tab.open("/")
    first = [path for path in loaded if path == "/" or path.startswith("/ui/")]
    hold(any(path.endswith(".js") for path in first), "no script was loaded")
    size = sum(packed(api, path) for path in first)
    hold(size <= FIRST_VIEW, f"the first view is {size} B, more than {FIRST_VIEW}")
    dist = pathlib.Path(__file__).parents[2] / "src/web/dist"
    names = [path.name for path in dist.iterdir() if path.suffix in (".js", ".css", ".svg")]
    size = sum(packed(api, f"/ui/{name}") for name in names) + packed(api, "/")
    hold(size <= EVERYTHING, f"the whole page is {size} B, more than {EVERYTHING}")


def a_rebound_name_gets_nothing(browser):
    """A name of someone else that leads to this machine (DNS rebinding) gets neither page nor data."""
    tab = browser.tab(watched=False)
    port = urlsplit(browser.origin).port
    for path in ("/", "/stats", "/backlinks?url=example.com"):
        answer = tab.page.goto(f"http://rebound.example:{port}{path}")
        same(answer.status, 421, f"the status of {path} under a foreign name")
    same(tab.page.locator("#page").count(), 0, "the number of pages")
    tab.page.context.close()


def the_first_request_of_the_api_is_answered(browser):
    """The answer stays, although the request becomes the address of the view."""
    api, tab = Api(browser.origin), browser.tab()
    name, other = api.domains(2)
    for address, endpoint in (("/?view=api", "backlinks"), ("/?view=api&call=/summary", "summary")):
        tab.open(address)
        for subject in (name, other):
            tab.page.fill("#p-url", subject)
            tab.page.click(".callview form .primary")
            answer = api.ask(endpoint, ("url", subject))
            tab.page.wait_for_function("(text) => document.querySelector('.answer pre')?.textContent.includes(text)", arg=f'"backlinks": {answer["backlinks"]}' if endpoint == "summary" else f'"count": {answer["count"]}')
            same(params(tab)["url"], subject, "the subject in the address")


def a_star_selects_all_below_a_folder(browser):
    api, tab = Api(browser.origin), browser.tab()
    name = api.domains(1)[0]
    tab.open("/?view=help")
    for text, scope in ((f"{name}/*", "prefix"), (f"*.{name}/*", None)):
        tab.page.fill("#search", text)
        tab.page.press("#search", "Enter")
        tab.settle()
        same((params(tab).get("scope"), params(tab).get("view")), (scope, None), f"scope and view after {text}")
        links = api.ask("backlinks", ("url", name), ("limit", 0), *([("scope", scope)] if scope else []))["count"]
        same(tab.texts(".card.kpi .big")[2:3], [f"{links:,}"], f"the card of backlinks after {text}")


def a_sixth_domain_is_named_as_left_out(browser):
    api, tab = Api(browser.origin), browser.tab()
    names = api.domains(6)
    tab.open("/?view=compare&" + "&".join(f"url={name}" for name in names))
    left = say("compare.left", n=5, names=names[5])
    tab.shows(left)
    tab.page.locator(".removes").first.click()
    tab.settle()
    same(tab.page.get_by_text(names[5]).filter(visible=True).count() > 1, True, f"whether {names[5]} has the place of {names[0]}")
    same(tab.page.locator(".compare .left").count(), 0, "the number of notes about five domains")


CHECKS = [
    search_leads_to_overview_filter_and_file,
    a_wrong_condition_is_marked,
    back_and_forward_show_what_was_there,
    a_keyboard_is_enough,
    every_view_fits_in_english_and_light,
    every_view_fits_in_german_and_dark,
    language_and_colours_can_be_chosen_and_stay,
    the_first_request_of_the_api_is_answered,
    a_star_selects_all_below_a_folder,
    a_sixth_domain_is_named_as_left_out,
    the_page_is_small,
    a_rebound_name_gets_nothing,
]
