"""gevent and eventlet: a wait in a store of Python's, or for another request, lets the other greenlets run."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import textwrap

import pytest
from tuile import _native as native

SETUP = {
    "threads": "",
    "gevent": "from gevent import monkey; monkey.patch_all()",
    "eventlet": "import eventlet; eventlet.monkey_patch()",
    # Imported before the patch, as by a server's configuration.
    "gevent, late": "import tuile.sessions; from gevent import monkey; monkey.patch_all()",
    "eventlet, late": "import tuile.sessions; import eventlet; eventlet.monkey_patch()",
    "gevent, unpatched": "import gevent",
}

STORE = """
import sys, threading, time
from tuile.errors import ArgumentError
from tuile.sessions import Manager, Store

class Yielding(Store):
    rows = {}
    def load(self, key, now):
        pause()
        found = self.rows.get(key)
        pause()
        return found
    def create(self, key, data, expires):
        pause()
        return self.rows.setdefault(key, row := (data, expires)) is row
    def replace(self, key, expected, data, expires):
        pause()
        if key not in self.rows:
            return None
        if self.rows[key][0] != expected:
            return False
        self.rows[key] = data, expires
        return True
    def touch(self, key, expires):
        return key in self.rows
    def remove(self, key):
        self.rows.pop(key, None)
    def sweep(self, now, limit):
        return 0

pause, more, green = lambda: time.sleep(0.0005), {}, "gevent" in sys.modules or "eventlet" in sys.modules
def together(*calls):
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""

UNPATCHED = """
pause, more = lambda: gevent.sleep(0.0005), {"wait": gevent.sleep}
def together(*calls):
    gevent.joinall([gevent.spawn(call) for call in calls], raise_error=True)
"""

MANY = """
manager = Manager(store=Yielding(), secret="s" * 32, **more)
with manager.begin("") as session:
    session["n"] = 0
    cookie = dict(session.commit())["Set-Cookie"].split(";")[0]

done, ticks = [], []
def work():
    for _ in range(10):
        with manager.begin(cookie) as session:
            session.add_int("n")
            session.commit()
    done.append(1)
def tick():
    while len(done) < 30:
        ticks.append(time.monotonic())
        pause()

together(*[work] * 30, tick)
with manager.begin(cookie) as session:
    assert session["n"] == 300, session["n"]
# Threads stand in line; greenlets of one thread can't, and wait between their attempts.
if green:
    assert manager.stats()["conflicts"] > 30, manager.stats()
    # Hundreds of waits, none of which stopped the others for long: the last ones are eight milliseconds each.
    assert len(ticks) > 100, len(ticks)
"""

ONE = """
manager = Manager(store=Yielding(), secret="s" * 32)
with manager.begin("") as session:
    def work():
        for i in range(20):
            session.add_int("n")
            session.append("list", i)
            session.commit()
    together(*[work] * 5)
    assert session["n"] == 5 * 20, session["n"]
    assert sorted(session["list"]) == sorted([*range(20)] * 5)
"""

# A lock of the thread's lets all its greenlets in: those that come in the middle are told.
MEDDLING = """
manager, inside, refused = Manager(store=Yielding(), secret="s" * 32, **more), [], []
def create(self, key, data, expires):
    inside.append(1)
    gevent.sleep(0.05)
    return self.rows.setdefault(key, row := (data, expires)) is row
Yielding.create = create
with manager.begin("") as session:
    def save():
        session["a"] = 1
        session.commit()
    def meddle():
        while not inside:
            gevent.sleep(0)
        try:
            session["a"] = 2
        except ArgumentError as problem:
            refused.append(str(problem))
    together(save, meddle)
    assert refused == ["the session is in the middle of a call"], refused
    assert session["a"] == 1
"""

TIMEOUT = """
manager = Manager(store=Yielding(), secret="s" * 32, **more)
with manager.begin("") as session:
    session["n"] = 0
    cookie = dict(session.commit())["Set-Cookie"].split(";")[0]
def slow(self, key, now):
    time.sleep(60)
Yielding.load = slow
import gevent
with manager.begin(cookie) as session:
    try:
        with gevent.Timeout(0.05):
            session["n"]
    except gevent.Timeout:
        print("in time")
greenlet = gevent.spawn(lambda: manager.begin(cookie).load())
gevent.sleep(0.02)
greenlet.kill()
assert greenlet.dead and greenlet.successful(), greenlet.value
"""


def run(kind: str, program: str) -> str:
    name = kind.partition(",")[0]
    # Not imported here: that changes this process, too.
    if name != "threads" and importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    text = "\n".join([SETUP[kind], STORE, UNPATCHED if "unpatched" in kind else "", textwrap.dedent(program)])
    environment = {
        **os.environ, "PYTHONPATH": ":".join(sys.path), "TUILE_LIBRARY": native.lib._name,
        # dnspython, which eventlet would patch, is not for this.
        "EVENTLET_NO_GREENDNS": "yes",
    }  # fmt: skip
    arguments = [sys.executable, "-W", "ignore", "-c", text]
    result = subprocess.run(arguments, capture_output=True, text=True, timeout=120, env=environment)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


@pytest.mark.parametrize("kind", SETUP)
def test_waits_for_a_conflict_stop_nobody_else(kind: str) -> None:
    run(kind, MANY)


@pytest.mark.parametrize("kind", ["threads", "gevent", "eventlet"])
def test_one_session_is_for_one_at_a_time(kind: str) -> None:
    run(kind, ONE)


def test_a_greenlet_that_comes_in_the_middle_of_a_call_is_told() -> None:
    run("gevent, unpatched", MEDDLING)


def test_a_timeout_comes_out_of_the_store_as_itself() -> None:
    assert run("gevent", TIMEOUT) == "in time\n"
