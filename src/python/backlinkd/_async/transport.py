"""Sends requests: with credentials, again after a refusal that passes, and again while an answer is unfinished."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from .._access import Access
from .._errors import AnswerError, ConnectionFailed, error_of, is_about_certificate, too_long
from .._protocol import Patience, Request, Retry
from .._reply import Reply
from .._waiting import sleep_async as sleep


class AsyncTransport:
    """A connection pool, and the rules by which it is used."""

    def __init__(self, http: httpx.AsyncClient, access: Access, retry: Retry) -> None:
        self.http = http
        self.access = access
        self.retry = retry

    async def send(self, request: Request) -> Reply:
        """Sends a request and reads its JSON."""
        response = await self.respond(request)
        return Reply.of(response.headers, response.content)

    async def send_finished(self, request: Request, wait: float | None, *, strict: bool = True) -> Reply:
        """As `send`, again until the answer is finished."""
        patience = Patience(wait, strict)
        while True:
            reply = await self.send(request)
            pause = None if reply.finished else patience.next_pause()
            if pause is None:
                return reply
            await sleep(pause)

    async def respond(self, request: Request) -> httpx.Response:
        """Sends a request and reads the whole response."""
        async with self.open(request) as response:
            return response

    @asynccontextmanager
    async def open(self, request: Request, *, stream: bool = False) -> AsyncIterator[httpx.Response]:
        """Sends a request until its response is a success. With `stream`, the body is not read yet."""
        attempt = 0
        while True:
            attempt += 1
            try:
                response = await self._once(request, stream=stream)
            except httpx.InvalidURL:
                raise too_long(request.params) from None
            except httpx.LocalProtocolError:
                # The text of the error shows the header, which may be a secret.
                raise ConnectionFailed(
                    f"no request can be sent to {self.access.base}: a header of http_client cannot be sent"
                ) from None
            except httpx.TransportError as error:
                if is_about_certificate(error):
                    raise ConnectionFailed(f"the certificate of {self.access.base} is refused: {error}") from error
                sent = not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
                pause = self.retry.after_break(request, attempt, sent=sent)
                if pause is None:
                    raise ConnectionFailed(
                        f"{self.access.base} does not answer: {error or type(error).__name__}"
                    ) from error
            except httpx.RequestError as error:
                raise AnswerError(f"the answer of {self.access.base} cannot be read: {error!r}") from error
            else:
                if response.is_success:
                    break
                refusal = error_of(response.status_code, response.headers, response.content)
                pause = self.retry.after_status(request, refusal, attempt)
                if pause is None:
                    raise refusal
            await sleep(pause)
        try:
            yield response
        finally:
            await response.aclose()

    async def _once(self, request: Request, *, stream: bool) -> httpx.Response:
        # A body of JSON has to say so, also if it is empty.
        body = {} if request.body is None else {"json": request.body}
        headers = self.access.headers(self.http.headers)
        if request.method != "GET" and self.http.cookies:
            # The server takes the changes of a session from its own pages alone, and knows them by this header.
            base = self.access.base
            headers["Origin"] = f"{base.scheme}://{base.netloc.decode()}"
        url = self.access.url(request.path)
        built = self.http.build_request(request.method, url, params=request.params, headers=headers, **body)
        response = await self.http.send(built, stream=True, **self.access.send_options())
        if not (stream and response.is_success):
            try:
                await response.aread()
            finally:
                await response.aclose()
        return response
