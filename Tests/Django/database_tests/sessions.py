"""What the tests share."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from django.contrib.sessions.models import Session
from django.db import connections
from tuile.django import SessionStore


def saved(**values: Any) -> str:
    session = SessionStore()
    session.update(values)
    session.save()
    assert session.session_key
    return session.session_key


def read(key: str | None) -> dict[str, Any]:
    return dict(SessionStore(key).items())


def rows() -> int:
    return Session.objects.count()


def in_thread(work: Callable[[], Any]) -> Any:
    """Does it in another thread, on a connection of that thread's own, and waits."""
    return together([work])[0]


def together(works: list[Callable[[], Any]]) -> list[Any]:
    """Does all at once, each in a thread of its own."""
    answers: list[Any] = [None] * len(works)
    problems: list[BaseException] = []
    barrier = threading.Barrier(len(works))

    def run(number: int) -> None:
        try:
            barrier.wait()
            answers[number] = works[number]()
        except BaseException as problem:
            problems.append(problem)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]
    return answers
