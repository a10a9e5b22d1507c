"""A command on a terminal of its own, whose questions a test answers."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tests.support import processes


class Conversation:
    """What a command and somebody at its terminal say to each other."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        """Start `commentsvc` in `folder`."""
        self._ours, theirs = pty.openpty()
        self.child = subprocess.Popen(
            [sys.executable, "-m", "commentsvc", *arguments],
            cwd=folder,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self.text = ""
        self._seen = 0

    def answer(self, question: str, answer: str) -> None:
        """Wait for a question, and type an answer."""
        processes.until(lambda: question in self.text[self._seen :] or not self._read(), question)
        assert question in self.text[self._seen :], self.text
        self._seen = len(self.text)
        os.write(self._ours, answer.encode())

    def end(self) -> tuple[int, str]:
        """Wait for the end; return the exit code and everything that was shown."""
        while self._read():
            pass
        os.close(self._ours)
        return self.child.wait(processes.PATIENCE), self.text

    def _read(self) -> bool:
        part = b""
        with suppress(OSError):  # the other side has closed
            part = os.read(self._ours, 65536)
        self.text += part.decode().replace("\r\n", "\n")
        return bool(part)


def converse(folder: Path, arguments: Sequence[str], answers: Sequence[tuple[str, str]]) -> tuple[int, str]:
    """Run a command, answer its questions in order; return the exit code and everything that was shown."""
    conversation = Conversation(folder, *arguments)
    for question, answer in answers:
        conversation.answer(question, f"{answer}\n")
    return conversation.end()
