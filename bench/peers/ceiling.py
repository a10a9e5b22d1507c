"""The ceiling: the server that `commentsvc serve` runs, set as there, and nothing in it but the ready bytes.

What it answers in a second is what is left to reach for any program in Python behind that server.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import asking, processes
from bench.asking import Answer
from commentsvc.serving import server

_BY_THE_SERVER = frozenset({"connection", "date", "server", "transfer-encoding"})
"""Headers that the server adds by itself."""


@contextmanager
def serving(folder: Path, path: str, answer: Answer) -> Iterator[str]:
    """Give out what another has answered, while this lasts, and 304 to whoever has it; yield its address.

    Raises NotRunningError, and WrongAnswerError where it does not give out the same.
    """
    folder.mkdir(exist_ok=True)
    headers = [(name, value) for name, value in answer.headers.items() if name not in _BY_THE_SERVER]
    (folder / "headers").write_text(json.dumps(headers))
    (folder / "body").write_bytes(answer.body)
    port = processes.free_port()
    url = f"http://127.0.0.1:{port}{path}"
    here = {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    program = processes.Server([sys.executable, "-m", __name__, str(port), folder], folder / "log", here)
    program.start(url)
    try:
        asking.get(url).require(200, "the ceiling: the same bytes", asking.get(url).body == answer.body)
        yield url
    finally:
        program.stop()


def application(folder: Path) -> Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]:
    """Return what answers the bytes that lie in a folder, whoever asks for whatever."""
    headers = [(str(name), str(value)) for name, value in json.loads((folder / "headers").read_text())]
    parts = [(folder / "body").read_bytes()]
    short = [(name, value) for name, value in headers if name != "content-length"]

    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if "HTTP_IF_NONE_MATCH" in environ:
            start("304 Not Modified", short)
            return ()
        start("200 OK", headers)
        return parts

    return answer


if __name__ == "__main__":
    address, kept = server.Bind.read(f"127.0.0.1:{sys.argv[1]}"), Path(sys.argv[2])
    server.serve(
        lambda: application(kept),
        address,
        workers=server.default_workers(),
        access_log=False,
    )
