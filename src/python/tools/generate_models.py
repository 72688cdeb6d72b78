#!/usr/bin/env python3
"""Writes backlinkd/models.py from the OpenAPI document of a server.

    tools/generate_models.py openapi.json             # writes the module
    tools/generate_models.py openapi.json --check     # fails if the module differs

`openapi.json` is a file or the address of a server's document.
"""

from __future__ import annotations

import json
import keyword
import re
import sys
import urllib.request
from pathlib import Path
from typing import Any

MODULE = Path(__file__).parents[1] / "backlinkd" / "models.py"

# Answers of rows with one key each, which are one object.
MERGED = {"linkratio": "LinkRatio", "linkspread": "LinkSpread"}
# The classes of the rows of an answer, or of the answer itself.
NAMES = {
    "anaurls": "UrlCounts",
    "backlinks": "Backlink",
    "backlinks-histogram": "FirstSeenDay",
    "backlinkshort": "UrlFigures",
    "bestpages": "BestPage",
    "brokenbacklinks": "BrokenBacklink",
    "competitors": "Competitor",
    "crawl": "CrawlStatus",
    "crawl-errors": "CrawlError",
    "crawl-hosts": "CrawlHost",
    "domains": "Domain",
    "edugovlinks": "EduGovCount",
    "explain": "Explanation",
    "exportbacklinks": "ExportedBacklink",
    "exportpages": "ExportedPage",
    "geolocationshort": "CountryCount",
    "history": "HistoryStep",
    "host": "Server",
    "httpstatus": "StatusCount",
    "iplist": "Address",
    "ippopularity": "AddressCounts",
    "linkedpages": "LinkedPage",
    "linkintersect": "CommonDomain",
    **MERGED,
    "linktextdistribution": "LinkTextShare",
    "linktexts": "LinkText",
    "linktypes": "LinkTypeCount",
    "lostbacklinks": "LostBacklink",
    "lostdomains": "LostDomain",
    "neighbourhood": "Neighbourhood",
    "newandlost-histogram": "ChangeDay",
    "newbacklinks": "NewBacklink",
    "newdomains": "NewDomain",
    "outgoinghosts": "OutgoingHost",
    "outgoinglinkcount": "OutgoingCount",
    "outgoinglinks": "OutgoingLink",
    "outgoinglinktexts": "OutgoingLinkText",
    "outgoingtoppages": "OutgoingPage",
    "pagedistribution": "PageShare",
    "post-crawl-seeds": "ListChange",
    "redirectchain": "Redirect",
    "referringdomains": "ReferringDomain",
    "root": "ServerInfo",
    "session": "Session",
    "srspread": "RankCount",
    "stats": "Stats",
    "suggest": "Suggestion",
    "summary": "Summary",
    "tagtypes": "TagCount",
    "tldlist": "TopLevelCount",
}
# Where the rows of an answer are, if they are not in `response`.
ROWS = {
    "crawl-errors": "errors",
    "crawl-hosts": "hosts",
    "history": "history",
    "host": "servers",
    "suggest": "suggestions",
}
# Answers with `response` that are one object nevertheless, or no rows.
WHOLE = {"crawl", "explain", "neighbourhood", "post-crawl-seeds", "root", "session", "stats", "summary"}
NESTED = {
    "extL": "PageLink",
    "intL": "PageLink",
    "edges": "Edge",
    "nodes": "Node",
    "info": "PageInfo",
    "robots": "RobotsState",
    "budget": "Budget",
    "failures": "Failure",
    "last_visits": "Visit",
    "page": "PageState",
    "queued": "QueueState",
    "server": "Server",
    "since": "SummarySince",
    "edu": "SuffixFigures",
    "gov": "SuffixFigures",
    "domains": "ChangeCounts",
    "urls": "ChangeCounts",
}
# The order of the keys in answers, where the document has none: its objects are sorted by name.
ORDER = {
    "Budget": "pages most domain domain_pages domain_most",
    "ChangeCounts": "new lost",
    "ChangeDay": "date urls domains",
    "CrawlError": "time kind resource url message",
    "CrawlHost": "host queued fetched budget delay lastFetch state reason",
    "EduGovCount": "refdoms links type",
    "FirstSeenDay": "date urls domains totalUrls totalDomains",
    "HistoryStep": "date backlinks refdoms newBacklinks lostBacklinks newRefdoms lostRefdoms firstSeen",
    "LinkTypeCount": "linktype links",
    "OutgoingCount": "avg pages linktype frequency",
    "RobotsState": "allowed line basis fetched status failing_since attempts kind cause due crawl_delay_seconds",
    "Server": "origin blocked delay_seconds queued visits failures_in_a_row asleep_until robots budget last_visits "
    "failures",
    "Suggestion": "name kind sr refdoms",
    "Summary": "url scope asOf exportFinished known sr backlinks refdoms nofollow followed text image homelinks edu "
    "gov ips ipv6 net24 countries lost firstSeen lastSeen pages external internal since",
    "SummarySince": "date backlinks refdoms newBacklinks lostBacklinks newRefdoms lostRefdoms",
    "UrlFigures": "backlinks refdoms url sr",
}
DAY = "[0-9]{8}"
LINE = 120


def is_envelope(key: str, schema: dict[str, Any]) -> bool:
    """Whether the key is one that results have elsewhere."""
    return key == "warnings" or (key == "status" and "const" in schema)


def identifier(key: str) -> str:
    name = re.sub(r"\W", "_", key)
    return name + "_" if keyword.iskeyword(name) else name


class Models:
    """The classes that are written, by name, in the order in which they can be read."""

    def __init__(self) -> None:
        self.classes: dict[str, str] = {}
        self.shapes: dict[str, str] = {}
        # The order in which the present row shows its columns.
        self.order: list[str] = []

    def kind(self, key: str, schema: dict[str, Any]) -> tuple[str, str, bool, str]:
        """The kind of a column, its Python type, whether it may be null, and the class of its records."""
        options = schema.get("oneOf", [schema])
        types = schema.get("type")
        nullable = any(option.get("type") == "null" for option in options)
        if isinstance(types, list):
            nullable = nullable or "null" in types
            options = [{**schema, "type": next(each for each in types if each != "null")}]
        inner = next(option for option in options if option.get("type") != "null")
        match inner:
            case {"type": "boolean"}:
                return "flag", "bool", nullable, ""
            case {"type": "integer", "minimum": 19700101}:
                return "day", "date", nullable, ""
            case {"pattern": str(pattern)} if DAY in pattern:
                return "day", "date", "?" in pattern or nullable, ""
            case {"type": "integer"}:
                return "integer", "int", nullable, ""
            case {"type": "number"}:
                return "number", "float", nullable, ""
            case {"type": "string", "enum": list(words)}:
                return "text", f"Literal[{', '.join(json.dumps(word) for word in words)}]", nullable, ""
            case {"type": "string"}:
                return "text", "str", nullable, ""
            case {"type": "array", "items": {"type": "object"} as row}:
                name = self.write(NESTED.get(key, key.title()), row, "", {}, [])
                return "list", f"list[{name}]", nullable, name
            case {"type": "array", "items": dict(row)}:
                return "list", f"list[{self.kind(key, row)[1]}]", nullable, ""
            case {"type": "object", "properties": {"change": _, "time": _}}:
                return "state", "AsOf", nullable, ""
            case {"type": "object", "properties": dict()}:
                name = self.write(NESTED.get(key, key.title()), inner, "", {}, self.order if key == "info" else [])
                return "record", name, nullable, name
            case {"type": "object", "additionalProperties": dict(value)}:
                return "map", f"dict[str, {self.kind(key, value)[1]}]", nullable, ""
        raise SystemExit(f"{key}: no kind for {schema}")

    def write(self, name: str, row: dict[str, Any], text: str, meanings: dict[str, str], order: list[str]) -> str:
        """Writes a class, unless there is one of the same shape; returns its name."""
        properties = {key: value for key, value in row["properties"].items() if not is_envelope(key, value)}
        shape = json.dumps(properties, sort_keys=True)
        if self.shapes.get(name) == shape:
            return name
        if name in self.shapes:
            raise SystemExit(f"two classes are named {name}")
        self.shapes[name] = shape
        self.order = order or self.order
        order = order or ORDER.get(name, "").split()
        if name in ORDER and set(order) != properties.keys():
            raise SystemExit(
                f"ORDER of {name} has other keys than the document: {sorted(properties.keys() ^ set(order))}"
            )

        def place(key: str) -> tuple[int, bool, str]:
            return (order.index(key) if key in order else len(order), key != "date", key)

        keys = sorted(properties, key=place)
        fields, columns = [], []
        for key in keys:
            schema = properties[key]
            kind, python, nullable, record = self.kind(key, schema)
            when = schema.get("description", "") if schema.get("description", "").startswith("Only with") else ""
            if schema.get("enum") == [True]:
                when = "Only where it is true."
            fields.append(f"    {identifier(key)}: {python}{' | None' if nullable else ''}\n")
            meaning = " ".join(part for part in (meanings.get(key, ""), when) if part)
            if meaning:
                fields.append(f'    """{meaning}"""\n')
            arguments = [json.dumps(key), json.dumps(kind)]
            arguments += ["nullable=True"] if nullable else []
            arguments += [f"when={json.dumps(when)}"] if when else []
            arguments += [f"record={record}"] if record else []
            columns.append(f"        Column({', '.join(arguments)}),\n")
        self.classes[name] = (
            f"class {name}(Record):\n{text and wrap(text)}"
            + "".join(fields)
            + f"\n    COLUMNS: ClassVar[tuple[Column, ...]] = (\n{''.join(columns)}    )\n"
        )
        return name


def wrap(text: str) -> str:
    """A docstring of lines that are short enough."""
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) >= LINE - 8:
            lines.append("")
        lines[-1] += (" " if lines[-1] else "") + word
    if len(lines) == 1:
        return f'    """{lines[0]}"""\n\n'
    return '    """' + "\n    ".join(lines) + '\n    """\n\n'


def main_schema(operation: dict[str, Any]) -> dict[str, Any] | None:
    for status, response in operation["responses"].items():
        if status.startswith("2"):
            schema: dict[str, Any] | None = response.get("content", {}).get("application/json", {}).get("schema")
            return schema
    return None


def row_of(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    if name in WHOLE:
        return schema
    row: dict[str, Any] = schema["properties"][ROWS.get(name, "response")]["items"]
    if name in MERGED:
        return {"properties": {key: value for option in row["oneOf"] for key, value in option["properties"].items()}}
    return row


def generate(document: dict[str, Any]) -> str:
    models = Models()
    operations = []
    for path, item in document["paths"].items():
        for method, operation in item.items():
            name = operation["operationId"]
            operations.append(f"    {json.dumps(name)}: ({json.dumps(method.upper())}, {json.dumps(path)}),\n")
            if name not in NAMES:
                continue
            schema = main_schema(operation)
            if schema is None:
                raise SystemExit(f"{name} has no schema")
            described = operation.get("x-columns", [])
            meanings = {column["name"]: column["description"] for column in described}
            shown = [
                key
                for parameter in operation.get("parameters", [])
                if parameter["name"] == "fields"
                for key in parameter["schema"]["items"]["enum"]
            ]
            order = list(dict.fromkeys([*shown, *(column["name"] for column in described)]))
            row = "" if name in WHOLE | MERGED.keys() else "a row of "
            text = f"{operation['summary']}: {row}`{path.lstrip('/') or 'GET /'}`."
            models.write(NAMES[name], row_of(name, schema), text, meanings, order)
    missing = {name for name in NAMES if NAMES[name] not in models.classes}
    if missing:
        raise SystemExit(f"the document lacks {', '.join(sorted(missing))}")
    head = '''"""What answers consist of. tools/generate_models.py writes this file from /openapi.json."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Literal

from ._record import AsOf, Column, Record

'''
    names = "".join(f'    "{name}",\n' for name in sorted(models.classes))
    return (
        head
        + f"__all__ = [\n{names}]\n\n\n"
        + "\n\n".join(models.classes.values())
        + f"\n\nOPERATIONS: dict[str, tuple[str, str]] = {{\n{''.join(operations)}}}\n"
        + '"""Method and path of every operation that the document names."""\n'
    )


def main() -> None:
    source = sys.argv[1]
    if source.startswith(("http://", "https://")):
        with urllib.request.urlopen(source) as reply:
            document = json.load(reply)
    else:
        document = json.loads(Path(source).read_text())
    text = generate(document)
    if "--check" not in sys.argv:
        MODULE.write_text(text)
    elif MODULE.read_text() != text:
        raise SystemExit(f"{MODULE} is not that of this document; run {sys.argv[0]} {source}")


if __name__ == "__main__":
    main()
