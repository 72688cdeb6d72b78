"""Errors and warnings."""

from __future__ import annotations

import json
import ssl
import sys
import warnings
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any


class BacklinkdError(Exception):
    """Any error of this package."""


class ConnectionFailed(BacklinkdError):
    """The server cannot be reached, or the connection broke again and again. `__cause__` is the error of httpx."""


class AnswerError(BacklinkdError):
    """The answer is not one of backlinkd; there may be another server, or a proxy, at the address."""


class UnfinishedError(BacklinkdError):
    """The server still reads the links of the scope after `wait` seconds. Ask again later, or wait for longer."""


class StateChangedError(BacklinkdError):
    """The connection broke, and the index changed before the answer could be continued."""


class ApiError(BacklinkdError):
    """The server refuses the request."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        parameter: str | None = None,
        code: str | None = None,
        at: tuple[int, int] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        """The HTTP status."""
        self.message = message
        """A sentence that says what to change."""
        self.parameter = parameter
        """The parameter with the mistake, if it is in one."""
        self.code = code
        """The kind of the mistake, such as `unknown-field`."""
        self.at = at
        """The place of the mistake in the text of the parameter: offsets of characters, the end exclusive."""
        self.retry_after = retry_after
        """Seconds to wait before the next request, if the server names them."""

    def __str__(self) -> str:
        return f"{self.message} (status {self.status})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.status, self.message, self.__dict__)


class BadRequest(ApiError):
    """A parameter is missing or wrong: statuses 400, 405, 413 and 414."""


class NotAuthorized(ApiError):
    """The credentials are missing or wrong (401), or do not have the role (403)."""


class NotFound(ApiError):
    """There is no such endpoint; the server may be older than the client (404)."""


class Conflict(ApiError):
    """The server cannot do this now, for example because no crawl runs in its process (409)."""


class TooManyRequests(ApiError):
    """The client sent more requests than the server allows, also after retries (429)."""


class ServerError(ApiError):
    """The server failed (5xx), also after retries."""


class ServerWarning(UserWarning):
    """What the server passed over, or why an answer is empty."""


class UnfinishedWarning(UserWarning):
    """The answer shows a part of the links alone, because the server still reads the others."""


class StateChangedWarning(UserWarning):
    """The index changed between two pages: rows may be missing or appear twice."""


_CLASSES: dict[int, type[ApiError]] = {
    **dict.fromkeys((400, 405, 413, 414), BadRequest),
    **dict.fromkeys((401, 403), NotAuthorized),
    404: NotFound,
    409: Conflict,
    429: TooManyRequests,
}


def error_of(status: int, headers: Mapping[str, str], body: bytes) -> ApiError:
    """The error of a response."""
    kind = _CLASSES.get(status, ServerError if status >= 500 else ApiError)
    retry_after = read_retry_after(headers.get("retry-after"))
    try:
        answer = json.loads(body)
        message = answer["error"]
    except (ValueError, KeyError, TypeError):
        shown = body[:200].decode(errors="replace").strip()
        return kind(status, f"the server answered {status}: {shown or 'nothing else'}", retry_after=retry_after)
    at = answer.get("at")
    return kind(
        status,
        str(message),
        parameter=answer.get("parameter"),
        code=answer.get("code"),
        at=(at[0], at[1]) if is_place(at) else None,
        retry_after=retry_after,
    )


def is_place(at: Any) -> bool:
    """Whether this is the place of a mistake: two offsets."""
    return isinstance(at, list) and len(at) == 2 and all(isinstance(offset, int) for offset in at)


def read_retry_after(header: str | None) -> float | None:
    """Reads seconds, or a date."""
    if header is None:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        date = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    return max(0.0, (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def is_about_certificate(error: BaseException | None) -> bool:
    """Whether a connection failed because of its certificate, which another attempt does not change."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def too_long(request_params: Iterable[tuple[str, str]]) -> BadRequest:
    """The error of a request that no address can have, as the server gives it for one that is a little shorter."""
    longest = max(request_params, key=lambda pair: len(pair[1]), default=("url", ""))[0]
    return BadRequest(414, "the request is longer than an address may be; ask for less at once", parameter=longest)


def warn(category: type[Warning], message: str) -> None:
    """Warns at the line of the program that called this package."""
    frame, level = sys._getframe(), 1
    package = __name__.partition(".")[0]
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == package:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def _rebuild(kind: type[ApiError], status: int, message: str, state: dict[str, Any]) -> ApiError:
    error = kind(status, message)
    error.__dict__.update(state)
    return error
