"""Every view of the page, with the address that opens it."""

from urllib.parse import quote

LISTS = (
    "backlinks referringdomains linktexts bestpages newbacklinks lostbacklinks newdomains lostdomains brokenbacklinks competitors "
    "iplist geolocationshort tldlist tagtypes outgoinglinks outgoinghosts httpstatus"
).split()
DATED = ("newbacklinks", "lostbacklinks", "newdomains", "lostdomains")


def views(api):
    """Name and address of each view, about the domains with most backlinks."""
    one, two, three = api.domains(3)
    page = api.ask("bestpages", ("url", one), ("limit", 1), ("where", "code eq 200"))["response"][0]["page"]
    found = [("start", "/"), ("domains", "/?view=domains"), ("overview", f"/?url={one}")]
    found += [(name, f"/?url={one}&view={name}") for name in LISTS]
    found += [
        ("one per domain", f"/?url={one}&view=backlinks&group=domain"),
        ("graph", f"/?url={one}&view=graph"),
        ("page", f"/?url={quote(page)}&view=page"),
        ("pages", f"/?url={one}&view=page"),
        ("compare", f"/?view=compare&url={one}&url={two}&url={three}"),
        ("intersect", f"/?view=intersect&targets[]={one}&targets[]={two}&targets[]={three}&atLeast=2"),
        ("crawl", "/?view=crawl"),
        ("api", "/?view=api"),
    ]
    return found
