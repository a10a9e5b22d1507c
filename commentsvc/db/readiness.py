"""Checks whether a database answers in time, whatever may keep it from answering."""

from __future__ import annotations

import threading
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, Executable
from sqlalchemy.exc import SQLAlchemyError

_lock = threading.Lock()
_questions: WeakKeyDictionary[Engine, _Question] = WeakKeyDictionary()


def answers(engine: Engine, query: Executable, *, within: float) -> bool:
    """Whether the database answers a query in so many seconds.

    A thread of its own waits for it: connecting, locks and a frozen server or disk each have other limits, if any.
    While a question is open, all callers share it, so that there is one such thread.
    """
    with _lock:
        question = _questions.get(engine)
        if question is None or question.done.is_set():
            question = _questions[engine] = _Question()
            threading.Thread(target=question.ask, args=(engine, query), daemon=True, name="readiness").start()
    return question.done.wait(within) and question.is_answered


class _Question:
    """A query whose answer is awaited."""

    def __init__(self) -> None:
        self.done, self.is_answered = threading.Event(), False

    def ask(self, engine: Engine, query: Executable) -> None:
        try:
            with engine.connect() as connection:
                connection.execute(query)
            self.is_answered = True
        except SQLAlchemyError:
            self.is_answered = False  # the requests of readers log an outage
        finally:
            self.done.set()
