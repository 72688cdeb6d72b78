"""The address of the server, and the credentials for it, which no other server gets and no text shows."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import httpx

from ._version import VERSION

DEFAULT_URL = "http://127.0.0.1:8080"
USER_AGENT = f"backlinkd-python/{VERSION}"


@dataclass(frozen=True, slots=True)
class Access:
    """Where requests go, and what they are sent with."""

    base: httpx.URL
    """The address without credentials."""
    auth: httpx.BasicAuth | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, url: str | None, auth: tuple[str, str] | None, token: str | None, *, own: bool = False) -> Access:
        """Reads the arguments of a client, and the environment for what they lack. `own` credentials of a client of
        httpx take the place of a token of the environment."""
        base, named = address(url or os.environ.get("BACKLINKD_URL") or DEFAULT_URL)
        token = checked_token(token, "token")
        password = checked_password(auth) if auth else named
        if password and token:
            raise ValueError("give a password (auth) or a token, not both")
        if not password and not token and not own:
            token = token_of_environment(base)
        return cls(base, httpx.BasicAuth(*password) if password else None, token)

    def url(self, path: str) -> httpx.URL:
        """The address of an endpoint, always at this server."""
        return self.base.copy_with(path=f"{self.base.path.rstrip('/')}/{path}")

    def headers(self, given: httpx.Headers) -> dict[str, str]:
        """The headers of a request, by a client of httpx with these headers."""
        agent = given.get("user-agent", "")
        headers = {"User-Agent": USER_AGENT if not agent or agent.startswith("python-httpx/") else agent}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        return headers

    def send_options(self) -> dict[str, Any]:
        """What the client of httpx adds by itself: its own credentials, unless there are others."""
        return {"auth": self.auth} if self.auth or self.token else {}


def address(url: str) -> tuple[httpx.URL, tuple[str, str] | None]:
    """The address of the server, and the name and password in it."""
    try:
        whole = httpx.URL(url if "://" in url else "none")
    except httpx.InvalidURL:
        whole = httpx.URL("none")
    port = whole.port or 0
    if whole.scheme not in ("http", "https") or not whole.host or port >= 1 << 16 or whole.query or whole.fragment:
        # What stands before an @ may be a password.
        shown = re.sub(r"[^/]*@", "…@", url)
        raise ValueError(f"{shown!r} is no address of a server; write it as http://127.0.0.1:8080")
    base = whole.copy_with(userinfo=b"")
    return base, (unquote(whole.username), unquote(whole.password)) if whole.userinfo else None


def checked_token(token: str | None, source: str) -> str | None:
    """A token without the space around it; an empty one is none. Errors do not show it."""
    if token is not None and not isinstance(token, str):
        raise TypeError(f"{source} is a {type(token).__name__}; it must be a text")
    token = (token or "").strip()
    if not re.fullmatch(r"[!-~]*", token):
        raise ValueError(f"{source} has characters that no token has, such as a space or a line break; copy it again")
    return token or None


def checked_password(auth: tuple[str, str]) -> tuple[str, str]:
    """A name and its password. Errors do not show them."""
    if isinstance(auth, str) or len(auth) != 2 or not all(isinstance(part, str) for part in auth):
        raise TypeError("auth takes two texts, a name and its password")
    if ":" in auth[0]:
        raise ValueError("the name in auth has a colon, which HTTP does not allow in a name")
    return auth[0], auth[1]


def token_of_environment(base: httpx.URL) -> str | None:
    """BACKLINKD_TOKEN, unless BACKLINKD_URL says that it is meant for another server."""
    named = os.environ.get("BACKLINKD_URL")
    if named:
        other = address(named)[0]
        if (other.scheme, other.host, other.port) != (base.scheme, base.host, base.port):
            return None
    return checked_token(os.environ.get("BACKLINKD_TOKEN"), "BACKLINKD_TOKEN")


def endpoint(path: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The path of an endpoint, and the parameters in it."""
    if "://" in path or path.startswith("//") or "#" in path:
        raise ValueError(
            f"{path!r} is no path of an endpoint, such as 'backlinks'; another server needs another client"
        )
    path, _, query = path.partition("?")
    return path.lstrip("/"), tuple(httpx.QueryParams(query).multi_items())
