"""A relay that emulates a slow connection between a browser and this machine, with a latency and a bandwidth.

A browser's own emulation does not include frames of another site, which have their own process. A new connection costs
a round trip before its first byte, as with TCP; TLS and slow start are not emulated.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

_CHUNK = 4096


@dataclass(frozen=True)
class Line:
    """The latency and bandwidth."""

    round_trip: float
    """Seconds."""
    rate: float
    """Bytes per second in each direction, for all connections together."""


class _Way:
    """One direction: bytes leave one after the other and arrive later."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._free_at = 0.0

    def arrival(self, size: int) -> float:
        """Return the time at which bytes arrive that are sent now."""
        now = asyncio.get_running_loop().time()
        self._free_at = max(now, self._free_at) + size / self._line.rate
        return self._free_at + self._line.round_trip / 2


@contextmanager
def relayed(port: int, line: Line) -> Iterator[int]:
    """Yield a local port that relays slowly to `port`."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(_listen(port, line), loop).result()
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        asyncio.run_coroutine_threadsafe(_end(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _listen(port: int, line: Line) -> asyncio.Server:
    up, down = _Way(line), _Way(line)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.CancelledError, OSError):
            await asyncio.sleep(line.round_trip)
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.gather(_carry(reader, there_writer, up), _carry(there_reader, writer, down))
        writer.close()

    return await asyncio.start_server(connected, "127.0.0.1", 0)


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: _Way) -> None:
    """Relay bytes until their sender closes."""
    loop = asyncio.get_running_loop()
    on_the_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def arrive() -> None:
        with suppress(OSError):
            while True:
                at, chunk = await on_the_way.get()
                await asyncio.sleep(at - loop.time())
                if not chunk:
                    break
                writer.write(chunk)
                await writer.drain()
        writer.close()

    arriving = loop.create_task(arrive())
    with suppress(OSError):
        while chunk := await reader.read(_CHUNK):
            on_the_way.put_nowait((way.arrival(len(chunk)), chunk))
    on_the_way.put_nowait((way.arrival(0), b""))
    await arriving


async def _end(server: asyncio.Server) -> None:
    server.close()
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
