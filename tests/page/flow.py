"""What a reader does: search, look, filter, go back, take a file away; by mouse, by keyboard, and in every shape."""

import csv
import io
import json
import pathlib
import re
import shutil
import subprocess
import sys
from urllib.parse import parse_qs, quote, urlsplit
from xml.etree import ElementTree

from api import Api, catalogue, say, squeeze
from chromium import Fault, hold, same
from views import LISTS, views

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


def every_field_of_the_filter_has_a_name_of_its_own(browser):
    """The fields are offered once, by a name in words, and the server takes each of them."""
    api, tab = Api(browser.origin), browser.tab()
    name = api.domains(1)[0]
    tab.open("/")
    values = {"number": "0", "rank": "0", "flag": "true", "day": "20260101", "text": "'a'", "address": "'198.51.100.1'"}
    described = api.ask("openapi.json")["paths"]
    for view in (*LISTS, "backlinks&group=domain"):
        endpoint = view.partition("&")[0]
        tab.go(f"/?url={name}&view={view}")
        tab.page.click("#add-filter")
        tab.settle()
        offered = tab.page.eval_on_selector_all(".builder label:first-child option", "(options) => options.map((option) => [option.value, option.textContent])")
        names = [text for _, text in offered]
        same(sorted(set(names)), sorted(names), f"the names of the fields of {view}")
        raw = [field for field, text in offered if text == field]
        same(raw, [], f"the fields of {view} without a name")
        kinds = {column["name"]: column["kind"] for column in described[f"/{endpoint}"]["get"]["x-columns"]}
        where = " AND ".join(f"{field} ne {values[kinds[field]]}" for field, _ in offered)
        tab.go(f"/?url={name}&view={view}&limit=1&where={quote(where)}")
        same(tab.texts(".refusal"), [], f"the refusals of {where} in {view}")
        same(tab.page.locator(".chips .chip:has(.field)").count(), len(offered), f"the number of chips of {where}")


def a_column_that_is_offered_is_shown(browser):
    api, tab = Api(browser.origin), browser.tab()
    name = api.domains(1)[0]
    for view in ("backlinks&active=all", "backlinks&group=domain", "referringdomains", "newbacklinks&from=20200101", "lostbacklinks&from=20200101", "linktexts"):
        tab.open(f"/?url={name}&view={view}&limit=5")
        tab.page.click(".tools details:not(#export):not(.corner) > summary")
        offered = [text.strip() for text in tab.page.locator(".checks label").all_inner_texts()]
        for at in range(len(offered)):
            box = tab.page.locator(".checks input").nth(at)
            if not box.is_checked():
                box.check()
        tab.settle()
        heads = tab.page.eval_on_selector_all(".tablecard thead th:not(.opener)", "(heads) => heads.map((head) => head.textContent.replace(/[▲▼]/g, ''))")
        same(sorted(heads), sorted(offered), f"the columns of {view}")


def conditions_are_joined_by_or(browser):
    api, tab = Api(browser.origin), browser.tab()
    name = api.domains(1)[0]
    tab.open(f"/?url={name}&view=backlinks&where=nofollow%20eq%20true")
    tab.page.click("#add-or")
    tab.page.select_option(".builder select >> nth=0", "tag")
    tab.page.select_option(".builder select >> nth=1", "eq")
    tab.page.select_option(".builder select >> nth=2", "aimg")
    tab.page.click(".builder button.primary")
    tab.settle()
    where = "nofollow eq true OR tag eq 'aimg'"
    for joint in ("OR", "AND"):
        where = where.replace(" OR ", f" {joint} ")
        tab.page.select_option(".joint", joint)
        tab.settle()
        same((params(tab)["where"], tab.page.locator(".chips .chip:has(.field)").count()), (where, 2), "the filter, and the number of its chips")
        count = api.ask("backlinks", ("url", name), ("where", where), ("limit", 0))["count"]
        same(squeeze(tab.text(".listhead .total")), squeeze(say("count.links", n=count)), f"the count of {where}")


def code_for_a_server_without_users_runs(browser):
    """It has no credentials, and prints what the view shows."""
    api, tab = Api(browser.origin), browser.tab()
    name = api.domains(1)[0]
    tab.page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=browser.origin)
    tab.open(f"/?url={name}&view=backlinks&limit=25")
    rows = tab.page.locator("tr[data-row]").count()
    for button, command in ((0, ["sh", "-c"]), (1, [sys.executable, "-c"])):
        tab.page.click(".listhead details.corner > summary")
        tab.page.locator(".listhead .corner button").nth(button).click()
        tab.page.wait_for_function("(begin) => navigator.clipboard.readText().then((text) => text.startsWith(begin))", arg="curl" if button == 0 else "import")
        code = tab.page.evaluate("navigator.clipboard.readText()")
        hold("USER" not in code and "user" not in code, f"the code has credentials: {code}")
        tab.page.keyboard.press("Escape")
        if button == 0 and not shutil.which("curl"):
            print("SKIPPED: curl is absent, so the copied command does not run")
            continue
        answer = subprocess.run([*command, code], capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL)
        hold(answer.returncode == 0, f"{code} fails: {answer.stderr}")
        same(len(json.loads(answer.stdout)["response"]), rows, "the number of rows that the code prints")


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


FEEDS = ("newbacklinks", "lostbacklinks")


def every_list_is_a_file_and_some_are_feeds(browser):
    """Each format of the API is in both menus and at the foot; feeds are named in the head, and are Atom."""
    api, tab = Api(browser.origin), browser.tab()
    name = api.domains(1)[0]
    tab.open("/")
    for view in LISTS:
        tab.go(f"/?url={name}&view={view}&from=20200101&to=20991231&where=" + quote("" if view not in FEEDS else "nofollow eq false"))
        for place in ("#export", ".listhead .corner", ".tablefoot .files"):
            formats = tab.page.eval_on_selector_all(f"{place} a[download]", "(links) => links.map((link) => new URL(link.href).searchParams.get('format'))")
            same(formats, ["csv", "excel", "jsonl", "parquet", "arrow"], f"the files of {view} in {place}")
        feeds = tab.page.eval_on_selector_all("#export a[href*='format=atom'], .listhead .corner a[href*='format=atom'], link[rel=alternate]", "(links) => links.map((link) => link.getAttribute('href'))")
        same(len(feeds), 3 if view in FEEDS else 0, f"the number of links to feeds of {view}")
        same(len(set(feeds)), min(len(feeds), 1), f"the number of addresses of feeds of {view}")
        for feed in set(feeds):
            status, headers, body = api.open(feed)
            hold(status == 200 and headers["Content-Type"].startswith("application/atom+xml"), f"{feed} is {status} {headers['Content-Type']}")
            root = ElementTree.fromstring(body)
            count = api.ask(view, ("url", name), ("from", "20200101"), ("where", "nofollow eq false"), ("limit", 0))["count"]
            same(len(root.findall("{http://www.w3.org/2005/Atom}entry")), min(100, count), f"the number of entries of {feed}")
            hold("to=" not in feed, f"{feed} ends some day")


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
    every_field_of_the_filter_has_a_name_of_its_own,
    a_column_that_is_offered_is_shown,
    conditions_are_joined_by_or,
    code_for_a_server_without_users_runs,
    a_sixth_domain_is_named_as_left_out,
    every_list_is_a_file_and_some_are_feeds,
    the_page_is_small,
    a_rebound_name_gets_nothing,
]
