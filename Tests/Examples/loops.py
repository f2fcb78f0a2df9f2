"""What a page on an event loop does while its store stands still: the file of SQLite is locked by another process, which is this;
and when clients leave meanwhile."""

from __future__ import annotations

import socket
import sqlite3
import struct
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from program import COMMAND, SECRET, Visitor, check, folder, server

QUICK = len(COMMAND) == 1  # valgrind takes its time
WAITING, PAGES, AT_ONCE = (6, 100, 40) if QUICK else (3, 10, 8)


def count(visitor: Visitor) -> int:
    answer = visitor.get("/")
    check(answer.status == 200, answer)
    return int(answer.body)


def pages(url: str) -> None:
    visitor = Visitor(url)
    check([count(visitor) for _ in range(3)] == [1, 2, 3])
    check(visitor.get("/none").status == 404)
    about = Visitor(url).get("/about")
    check(about.status == 200 and "Set-Cookie" not in about.headers, about)
    check(visitor.get("/logout").status == 200 and count(visitor) == 1)
    # One visitor's requests at once: none is lost.
    with ThreadPoolExecutor(8) as threads:
        seen = list(threads.map(lambda _: visitor.get("/").status, range(AT_ONCE)))
    check(set(seen) == {200} and count(visitor) == AT_ONCE + 2, seen)


def answers_while_locked(visitors: list[Visitor], url: str, file: str) -> None:
    lock = sqlite3.connect(file, isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    with ThreadPoolExecutor(len(visitors)) as threads:
        waiting = [threads.submit(visitor.get, "/") for visitor in visitors]
        # A page that asks for no session waits for nobody, whoever comes.
        for cookie in ({}, {"Cookie": f"sessionid={visitors[0].cookie('sessionid')}"}):
            for _ in range(PAGES // 2):
                answer = Visitor(url).get("/about", headers=cookie)
                check(answer.status == 200, answer)
        # At their deadline, though the file is still locked; nobody is logged out.
        for request in waiting:
            answer = request.result()
            check(answer.status == 503 and "Set-Cookie" not in answer.headers, answer)
    lock.execute("ROLLBACK")
    lock.close()


def clients_leave(visitor: Visitor, url: str, file: str) -> None:
    """While their visits wait for the store: the others are served, and nobody's session is lost."""
    lock = sqlite3.connect(file, isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    where = urlsplit(url)
    request = f"GET / HTTP/1.1\r\nHost: {where.netloc}\r\nCookie: sessionid={visitor.cookie('sessionid')}\r\n\r\n"
    clients = [socket.create_connection((where.hostname, where.port)) for _ in range(WAITING)]
    for client in clients:
        client.sendall(request.encode())
    check(Visitor(url).get("/about").status == 200)
    for client in clients:  # by a reset, which tells the server at once
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
    for _ in range(PAGES):
        check(Visitor(url).get("/about").status == 200)
    lock.execute("ROLLBACK")
    lock.close()
    # What had begun is counted, what had not may be.
    check(1 < count(visitor) <= WAITING + 4)


def run() -> None:
    patient = ("--deadline", "600000")
    if QUICK:
        with server(*patient, TUILE_SECRET=SECRET) as url:
            pages(url)
    with folder() as here:
        store = f"sqlite://{here}/db?busy=600000"
        with server("--store", store, *patient, TUILE_SECRET=SECRET) as url:
            pages(url)
            visitors = [Visitor(url) for _ in range(WAITING)]
            check([count(visitor) for visitor in visitors] == [1] * WAITING)
        with server("--store", store, "--deadline", "500", TUILE_SECRET=SECRET) as url:
            for visitor in visitors:
                visitor.url = url
            answers_while_locked(visitors, url, f"{here}/db")
        with server("--store", store, *patient, TUILE_SECRET=SECRET) as url:
            for visitor in visitors:
                visitor.url = url
                # What had begun may be counted.
                check(count(visitor) in (2, 3))
            clients_leave(visitors[0], url, f"{here}/db")
