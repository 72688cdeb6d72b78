"""The help: every page of it, its links, its search; with a keyboard, in both colour schemes, and on a narrow screen."""

import html
import json
import re
from urllib.parse import parse_qs, urlsplit

from accessibility import COLOURS, WIDTH, findings, load
from api import Api, say
from chromium import hold, same

FIRST = "/?view=help"


def pages(browser):
    """Name and description of each page, as the server lists them."""
    return {page["name"]: page for page in json.loads(Api(browser.origin).open("/ui/help.json")[2])["pages"]}


def address(name):
    return FIRST if name == "contents" else f"{FIRST}&doc={name}"


def every_page_is_shown_and_accessible(browser):
    tab, found = browser.tab(), []
    tab.open(FIRST)
    load(tab)
    for name, page in pages(browser).items():
        tab.go(address(name))
        same(tab.text("article h1"), page["title"], f"the title of {name}")
        hold(tab.page.title().startswith(page["title"]), f"the tab of {name} is called {tab.page.title()}")
        # The tables of the references look alike, and take minutes.
        judged = page["group"] != "reference" or name == "reference/cli"
        if judged:
            found += findings(tab, name)
            tab.page.emulate_media(color_scheme="dark")
            found += findings(tab, f"{name}, dark", COLOURS)
            tab.page.emulate_media(color_scheme="light")
        tab.page.set_viewport_size({"width": 390, "height": 844})
        if judged:
            found += findings(tab, f"{name}, narrow", WIDTH)
        wide = tab.page.evaluate("document.documentElement.scrollWidth")
        hold(wide <= 390, f"{name} is {wide} pixels wide on a narrow screen")
        tab.page.set_viewport_size({"width": 1280, "height": 900})
    hold(not found, "; ".join(found))


def links_lead_to_pages_and_headings(browser):
    known, tab, checked = pages(browser), browser.tab(), 0
    tab.open(FIRST)
    for name in known:
        tab.go(address(name))
        for link in tab.page.evaluate("[...document.querySelectorAll('article a')].map((link) => link.getAttribute('href'))"):
            parts = urlsplit(link)
            if parts.netloc:
                continue
            target = parse_qs(parts.query).get("doc", ["contents"])[0]
            hold(parts.path == "/" and target in known, f"{name} links to {link}")
            headings = {heading["id"] for heading in known[target]["headings"]}
            hold(not parts.fragment or parts.fragment in headings, f"{name} links to {link}")
            checked += 1
    hold(checked > 40, f"there are {checked} links")


def a_reader_goes_from_page_to_page(browser):
    tab = browser.tab()
    tab.open("/")
    tab.page.get_by_role("link", name=say("nav.help"), exact=True).first.click()
    tab.settle()
    tab.page.locator("article").get_by_role("link", name="The first five minutes").click()
    tab.settle()
    same(tab.text("article h1"), "The first five minutes", "the page")
    tab.page.locator("article").get_by_role("link", name="Crawl a list of sites").first.click()
    tab.settle()
    # A link to a heading of another page leads there.
    tab.page.locator("article a[href$='#keys']").first.click()
    tab.settle()
    same(tab.text("article h1"), "Configuration", "the page")
    same(tab.page.evaluate("document.activeElement.id"), "keys", "the focus")
    top = tab.page.evaluate("document.getElementById('keys').getBoundingClientRect().top")
    hold(0 <= top < 200, f"the heading is {top} pixels from the top")
    tab.page.go_back()
    tab.settle()
    same(tab.text("article h1"), "Crawl a list of sites", "the page after going back")


# Words of the pages that no title or heading has.
WORDS = ("backup", "token", "password", "nofollow", "robots", "excel", "parquet", "Retry-After")


def the_search_finds_every_word(browser):
    """Wherever the text of a page has a word, read apart from the page, the search finds a section of it."""
    api, tab, texts = Api(browser.origin), browser.tab(), {}
    for name, page in pages(browser).items():
        body = api.open(f"/ui/{page['file']}")[2].decode()
        texts[name] = html.unescape(re.sub(r"<[^>]*>", " ", body)).lower()
    tab.open(FIRST)
    for word in WORDS:
        expected = {name for name, text in texts.items() if re.search(rf"(?<![^\W_]){word.lower()}", text)}
        hold(expected, f"no page has {word}")
        tab.page.fill(".contents input", word)
        tab.page.locator(".found a").first.wait_for()
        tab.settle()
        links = tab.page.eval_on_selector_all(".found a", "(links) => links.map((link) => new URL(link.href).searchParams.get('doc') ?? 'contents')")
        missing = expected - set(links)
        hold(not missing or len(links) >= 30, f"the search for {word} does not find {sorted(missing)}")
        marks = tab.page.locator(".found mark").all_inner_texts()
        hold(marks and all(mark.lower() == word.lower() for mark in marks), f"the search for {word} marks {marks}")
    # A passage is text, and the first place of a word is in sight.
    same(tab.page.locator(".found p :not(mark)").count(), 0, "the number of elements in passages")


def the_search_finds_titles_and_headings(browser):
    tab = browser.tab()
    tab.open(FIRST)
    tab.page.fill(".contents input", "restore")
    tab.page.locator(".found a").first.wait_for()
    texts = tab.page.locator(".found a").all_inner_texts()
    hold("Back up and restore" in texts and "Restore" in texts, f"the search finds {texts}")
    # The arrow of a keyboard is not needed: Enter opens the first place, Tab leads to the others.
    tab.page.keyboard.press("Enter")
    tab.settle()
    same(tab.text("article h1"), "Back up and restore", "the page")
    tab.page.locator(".found a", has_text="Restore").last.focus()
    tab.page.keyboard.press("Enter")
    tab.settle()
    same(tab.page.evaluate("document.activeElement.id"), "restore", "the focus")
    tab.page.fill(".contents input", "no such words anywhere")
    tab.shows(say("help.none"))


def commands_are_copied_as_they_are(browser):
    tab = browser.tab()
    tab.page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=browser.origin)
    tab.open(address("query"))
    tab.page.locator("article button.copy").first.click()
    command = tab.page.locator("article pre").first.inner_text().strip()
    tab.page.wait_for_function("(text) => navigator.clipboard.readText().then((copied) => copied === text)", arg=command)


def a_page_that_is_not_there_says_so(browser):
    tab = browser.tab()
    tab.open(address("nothing"))
    tab.shows(say("help.absent", name="nothing"))


CHECKS = [
    every_page_is_shown_and_accessible,
    links_lead_to_pages_and_headings,
    a_reader_goes_from_page_to_page,
    the_search_finds_titles_and_headings,
    the_search_finds_every_word,
    commands_are_copied_as_they_are,
    a_page_that_is_not_there_says_so,
]
