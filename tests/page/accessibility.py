"""No view breaks a rule of WCAG 2.2, levels A and AA, that axe-core can decide; light, dark, and on a narrow screen."""

import pathlib

from api import Api, say
from chromium import hold
from views import views

LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# Rules that depend on the colours, and on the width.
COLOURS = ["color-contrast", "link-in-text-block"]
WIDTH = ["target-size", "scrollable-region-focusable"]


def axe_source():
    import axe_playwright_python

    return (pathlib.Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()


def load(tab):
    tab.page.evaluate(axe_source())


def findings(tab, what, rules=None, within="body"):
    """What breaks a rule in an element; of the whole document, title and language are judged as well."""
    only = {"type": "rule", "values": rules} if rules else {"type": "tag", "values": LEVELS}
    # Colours that fade in are judged in the end; what shows that something is awaited moves without end.
    tab.page.evaluate("Promise.all(document.getAnimations().filter((one) => one.effect.getComputedTiming().endTime < 5000).map((one) => one.finished.catch(() => {})))")
    found = tab.page.evaluate("""async ([only, within]) => (await axe.run(within === 'body' ? document : within, { runOnly: only, resultTypes: ['violations'] })).violations.map((rule) =>
        `${rule.id} (${rule.nodes.length}): ${rule.nodes[0].html.slice(0, 160)} ${rule.nodes[0].failureSummary.split('\\n')[1] ?? ''}`)""", [only, within])
    return [f"{what}: {one}" for one in found]


def every_view_is_accessible(browser):
    tab, found = browser.tab(), []
    tab.open("/")
    load(tab)
    for name, address in views(Api(browser.origin)):
        # Further rows look like the first ones.
        tab.go(f"{address}&limit=5" if "view=" in address else address)
        found += findings(tab, name)
        tab.page.emulate_media(color_scheme="dark")
        found += findings(tab, f"{name}, dark", COLOURS)
        tab.page.emulate_media(color_scheme="light")
        tab.page.set_viewport_size({"width": 390, "height": 844})
        found += findings(tab, f"{name}, narrow", WIDTH)
        tab.page.set_viewport_size({"width": 1280, "height": 900})
    hold(not found, "; ".join(found))


def names_are_large_enough_to_touch(browser):
    """A name that is cut off is no smaller than 24 pixels, and neither is a figure that leads to a list."""
    api, small = Api(browser.origin), []
    name = api.domains(1)[0]
    for width in (1280, 390):
        tab = browser.tab(viewport={"width": width, "height": 900})
        tab.open("/")
        for view in ("", "&view=graph", "&view=referringdomains", "&view=competitors"):
            tab.go(f"/?url={name}{view}")
            selector = ".items a:not(.out), .domain > a, .kpi .sub a"
            heights = tab.page.eval_on_selector_all(selector, "(links) => links.filter((link) => link.checkVisibility()).map((link) => [link.outerHTML, link.getBoundingClientRect().height])")
            hold(heights, f"there are no names in {view or 'the overview'}")
            small += [f"{view} at {width}: {html[:120]} is {height} high" for html, height in heights if height < 24]
    hold(not small, "; ".join(small[:5]))


# What opens a part of the view, and that part.
PARTS = [
    ("form of the filter", "#add-filter", ".filter"),
    ("export", "#export > summary", "#export"),
    ("columns", ".tools details:not(#export):not(.corner) > summary", ".tools"),
    ("corner menu", ".listhead details.corner > summary", ".listhead"),
    ("settings", ".top details.drop > summary", ".top"),
    ("definition", ".tablefoot .files button:last-child", "dialog"),
]


def everything_that_opens_is_accessible(browser):
    api, found = Api(browser.origin), []
    name = api.domains(1)[0]
    tab = browser.tab()
    view = f"/?url={name}&view=backlinks&limit=5"
    tab.open(f"{view}&where=nofollow%20eq%20false")
    load(tab)

    def look(what, within):
        found.extend(findings(tab, what, within=within))
        tab.page.emulate_media(color_scheme="dark")
        found.extend(findings(tab, f"{what}, dark", COLOURS, within))
        tab.page.emulate_media(color_scheme="light")

    for what, selector, within in PARTS:
        tab.page.click(selector)
        tab.settle()
        look(what, within)
        tab.page.keyboard.press("Escape")
    tab.page.keyboard.press("?")
    tab.page.locator("dialog[open]").wait_for()
    look("keys", "dialog")
    tab.page.keyboard.press("Escape")
    tab.page.fill("#search", name[:3])
    tab.page.locator("[role=option]").first.wait_for()
    look("suggestions", ".top")
    tab.go(f"/?url={name}&view=referringdomains&limit=5")
    tab.page.click("td.opener button >> nth=0")
    tab.settle()
    look("links of a domain", "#main")
    tab.expected.add(400)
    tab.go(f"{view}&where=pos%20ge%20high")
    look("refused filter", "#main")
    tab.go(f"{view}&where=pos%20gt%2099999")
    look("filter without rows", "#main")
    tab.go("/?url=never.example")
    look("unknown name", "#main")
    hold(not found, "; ".join(found))


def troubles_are_accessible(browser):
    found = []
    for status, wanted in ((401, "form.signin"), (429, ".trouble")):
        tab = browser.tab()
        tab.expected.add(status)
        tab.page.route("**/*", lambda route: route.fulfill(status=status, headers={"Retry-After": "60"}, json={"status": status, "error": say("state.refused")})
                       if route.request.resource_type == "fetch" else route.fallback())
        tab.open("/?url=example.com", settled=False)
        tab.page.locator(wanted).wait_for()
        load(tab)
        found += findings(tab, str(status))
        tab.page.emulate_media(color_scheme="dark")
        found += findings(tab, f"{status}, dark", COLOURS)
    hold(not found, "; ".join(found))


CHECKS = [every_view_is_accessible, names_are_large_enough_to_touch, everything_that_opens_is_accessible, troubles_are_accessible]
