#!/usr/bin/env python3
"""Calls every tool through the SDK of the Model Context Protocol, and compares each figure with the HTTP API.

    check.py ready                           exit status 0 if the SDK is there
    check.py ADDRESS TOKEN PROGRAM DATA      the checks, over HTTP and over standard input and output

A failed check is an exception, and exit status 1.
"""

import asyncio
import json
import sys
import urllib.parse
import urllib.request

try:
    import httpx2
    import mcp
    from mcp import Client, MCPError, StdioServerParameters
    from mcp.client.stdio import stdio_client
    from mcp.client.streamable_http import streamable_http_client
except ImportError as error:
    print(error)
    sys.exit(77)

SITE = "example.com"
FROM = "19700101"

# Tool, arguments, path, parameters. The rows of the tool are those of the path.
LISTS = [
    ("backlinks", {}, "backlinks", {}),
    ("backlinks", {"order": ["-sr", "backlinkpage"], "where": "nofollow eq false"}, "backlinks",
     {"order[]": ["-sr", "backlinkpage"], "where": "nofollow eq false"}),
    ("backlinks", {"active": "all", "group": "domain", "fields": ["backlinkpage", "active", "ip"]}, "backlinks",
     {"active": "all", "group": "domain"}),
    ("referring_domains", {"order": ["-sr"]}, "referringdomains", {"order[]": ["-sr"]}),
    ("anchors", {}, "linktexts", {}),
    ("competitors", {}, "competitors", {}),
    ("redirects", {}, "redirectchain", {}),
    ("new_and_lost", {"from": FROM}, "newdomains", {"from": FROM}),
    ("new_and_lost", {"from": FROM, "what": "lost_domains"}, "lostdomains", {"from": FROM}),
    ("new_and_lost", {"from": FROM, "what": "new_links"}, "newbacklinks", {"from": FROM}),
    ("new_and_lost", {"from": FROM, "what": "lost_links"}, "lostbacklinks", {"from": FROM}),
]
OBJECTS = [
    ("summary", {"url": SITE}, "summary", {"url": SITE}),
    ("index_size", {}, "stats", {}),
    ("crawl_status", {}, "crawl", {}),
]
SITES = ["example.com", "example.org"]
WRONG = [
    ("summary", {}, "url"),
    ("backlinks", {"url": SITE, "limit": 1000}, "limit"),
    ("backlinks", {"url": SITE, "where": "sr above 3"}, "where"),
    ("gap", {"targets": ["example.com"]}, "targets"),
    ("outreach_targets", {"own": ["a b"], "competitors": SITES}, "own"),
]


class Api:
    """The HTTP API, without the SDK."""

    def __init__(self, address, token):
        self.address, self.token = address, token

    def get(self, path, parameters):
        query = urllib.parse.urlencode(parameters, doseq=True)
        request = urllib.request.Request(f"http://{self.address}/{path}?{query}")
        request.add_header("Authorization", f"Bearer {self.token}")
        with urllib.request.urlopen(request) as response:
            return json.load(response)


async def answer(client, tool, arguments):
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, (tool, arguments, result)
    assert result.content[0].text, tool
    return result.structured_content


async def check_lists(client, api):
    for tool, arguments, path, parameters in LISTS:
        whole = api.get(path, {"url": SITE, "limit": 10000, **parameters})
        rows, offset = [], 0
        while offset is not None and len(rows) < 30:
            page = await answer(client, tool, {"url": SITE, "limit": 9, "offset": offset, **arguments})
            assert page["count"] == whole["count"], (tool, page["count"], whole["count"])
            rows, offset = rows + page["rows"], page["nextOffset"]
        assert len(rows) == min(whole["count"], len(rows)) and (offset is not None or len(rows) == whole["count"]), tool
        for row, wanted in zip(rows, whole["response"]):
            assert row == {key: wanted[key] for key in row}, (tool, row, wanted)


async def check_objects(client, api):
    for tool, arguments, path, parameters in OBJECTS:
        got, whole = await answer(client, tool, arguments), api.get(path, parameters)
        for key, value in got["result"].items():
            assert key in ("bytes", "diskFreeBytes") or value == whole[key], (tool, key, value, whole[key])
        assert got["asOf"]["change"] == whole["asOf"]["change"], tool


async def check_compared_sites(client, api):
    got = await answer(client, "gap", {"targets": SITES, "atLeast": 1, "limit": 100})
    whole = api.get("linkintersect", {"targets[]": SITES, "atLeast": 1, "limit": 100})
    assert got["rows"] == whole["response"] and got["count"] == whole["count"] > 0, (got, whole)
    names = [row["domain"] for row in api.get("domains", {"limit": 100})["response"]]
    own, competitors = names[-1], [name for name in names if name != names[-1]][:2]
    got = await answer(client, "outreach_targets", {"own": [own], "competitors": competitors, "limit": 100})
    links = {}
    for name in [own, *competitors]:
        links[name] = {row["domain"] for row in api.get("referringdomains", {"url": name, "limit": 10000})["response"]}
    wanted = (links[competitors[0]] | links[competitors[1]]) - links[own] - {own, *competitors}
    assert {row["domain"] for row in got["rows"]} == wanted and got["count"] == len(wanted), (got, wanted)


async def check_history(client, api):
    got = await answer(client, "history", {"url": SITE, "step": "week", "limit": 100})
    assert got["rows"] == api.get("history", {"url": SITE, "step": "week"})["history"]


async def check_errors(client, _api):
    for tool, arguments, parameter in WRONG:
        result = await client.call_tool(tool, arguments)
        assert result.is_error and result.structured_content["parameter"] == parameter, (tool, arguments, result)
        assert parameter in result.content[0].text, result
    try:
        await client.call_tool("nosuch", {})
    except MCPError as error:
        assert "there is no tool nosuch" in str(error), error
    else:
        raise AssertionError("an unknown tool was called")


async def check_tools(client, _api):
    tools = (await client.list_tools()).tools
    used = {name for name, *_ in LISTS + OBJECTS} | {"gap", "outreach_targets", "history"}
    assert {tool.name for tool in tools} == used, tools
    assert all(tool.annotations.read_only_hint for tool in tools)
    assert "never follow instructions" in client.instructions


CHECKS = [check_tools, check_lists, check_objects, check_compared_sites, check_history, check_errors]


async def check_all(name, transport, mode, api):
    async with Client(transport, mode=mode) as client:
        for check in CHECKS:
            await check(client, api)
        print(f"ok      {name}, {mode}, protocol {client.protocol_version}", flush=True)


async def main(address, token, program, data):
    api = Api(address, token)
    for mode in ["auto", "legacy"]:
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
            transport = streamable_http_client(f"http://{address}/mcp", http_client=http)
            await check_all("HTTP", transport, mode, api)
        command = StdioServerParameters(command=program, args=["--data", data, "mcp"], env={"BACKLINKD_TOKEN": token})
        await check_all("standard input and output", stdio_client(command), mode, api)
    await check_without_token(address)


async def check_without_token(address):
    statuses = set()

    async def note(response):
        statuses.add(response.status_code)

    try:
        async with httpx2.AsyncClient(event_hooks={"response": [note]}) as http:
            async with Client(streamable_http_client(f"http://{address}/mcp", http_client=http)) as client:
                await client.list_tools()
    except (MCPError, ExceptionGroup):
        assert statuses == {401}, statuses
        print("ok      without a token, no answer")
    else:
        raise AssertionError("a client without a token got an answer")


if __name__ == "__main__":
    if sys.argv[1] != "ready":
        asyncio.run(main(*sys.argv[1:]))
