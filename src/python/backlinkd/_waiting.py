"""Waiting, in both ways. httpx depends on anyio, and so works with asyncio and trio alike."""

from __future__ import annotations

import time

import anyio


async def sleep_async(seconds: float) -> None:
    await anyio.sleep(seconds)


def sleep_sync(seconds: float) -> None:
    time.sleep(seconds)
