"""A headless Chromium, spoken to over its DevTools protocol."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Self

import websocket
from served import HOSTS

SECONDS = 60


def find_chromium() -> str | None:
    return shutil.which(os.environ.get("CHROMIUM", "chromium"))


class Chromium:
    """One browser process with the profile in `profile`, which outlives it."""

    def __init__(self, profile: Path, third_party_cookies: bool = True, flags: Iterable[str] = ("--ignore-certificate-errors",)) -> None:
        binary = find_chromium()
        assert binary is not None
        port_file = profile / "DevToolsActivePort"
        port_file.unlink(missing_ok=True)
        preferences = profile / "Default/Preferences"
        if not preferences.exists():
            # Distributions differ in the default; Debian's is to block.
            preferences.parent.mkdir(parents=True)
            blocks = not third_party_cookies
            settings = {"block_third_party_cookies": blocks, "cookie_controls_mode": int(blocks)}
            preferences.write_text(json.dumps({"profile": settings}))
        rules = ",".join(f"MAP {host} 127.0.0.1" for host in HOSTS)
        self._log = (profile.parent / f"{profile.name}.log").open("ab")
        self._process = subprocess.Popen(
            [binary, "--headless=new", "--no-sandbox", "--remote-debugging-port=0", f"--user-data-dir={profile}"]
            # Nothing leaves the machine, and no key ring is asked for.
            + ["--disable-background-networking", "--disable-component-update", "--no-first-run"]
            + ["--password-store=basic", "--disable-gpu", *flags]
            + [f"--host-resolver-rules={rules},MAP * ~NOTFOUND,EXCLUDE 127.0.0.1", "about:blank"],
            stdout=self._log,
            stderr=self._log,
        )
        try:
            port, path = self._read_port(port_file)
            self._socket = websocket.create_connection(
                f"ws://127.0.0.1:{port}{path}", timeout=SECONDS, suppress_origin=True
            )
        except BaseException:
            self._stop()
            raise
        self._number = 0
        self._events: list[dict[str, Any]] = []

    def _read_port(self, file: Path) -> tuple[str, str]:
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            assert self._process.poll() is None, f"Chromium ended with {self._process.returncode}: see {self._log.name}"
            lines = file.read_text().split() if file.exists() else []
            if len(lines) == 2:
                return lines[0], lines[1]
            time.sleep(0.02)
        raise AssertionError("Chromium opened no DevTools port")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """As a user closes it: what is to be kept is written to the profile."""
        try:
            if self._process.poll() is None:
                self.call("Browser.close")
                self._process.wait(SECONDS)
        except (OSError, websocket.WebSocketException, subprocess.TimeoutExpired):
            pass  # _stop ends it
        finally:
            self._socket.close()
            self._stop()

    def _stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def call(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        self._socket.send(json.dumps(message))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("id") == self._number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return dict(answer["result"])
            self._events.append(answer)

    def wait_for(self, method: str, session: str, **parameters: str) -> None:
        """The next event of that kind since the last `forget_events`."""
        while True:
            while self._events:
                event = self._events.pop(0)
                if event.get("method") == method and event.get("sessionId") == session:
                    if parameters.items() <= event["params"].items():
                        return
            self._events.append(json.loads(self._socket.recv()))

    def event(self, method: str, wanted: Callable[[dict[str, Any]], bool] = lambda _: True) -> dict[str, Any]:
        """The parameters of the first event of that kind that is `wanted`, which is taken out; waits for it."""
        for number, event in enumerate(self._events):
            if event.get("method") == method and wanted(event["params"]):
                del self._events[number]
                return dict(event["params"])
        while True:
            event = json.loads(self._socket.recv())
            if event.get("method") == method and wanted(event["params"]):
                return dict(event["params"])
            self._events.append(event)

    def forget_events(self) -> None:
        self._events.clear()

    def cookies(self) -> list[dict[str, Any]]:
        """All that is stored, partitioned or not."""
        return list(self.call("Storage.getCookies")["cookies"])

    def clear_cookies(self) -> None:
        self.call("Storage.clearCookies")


class Page:
    """A tab."""

    def __init__(self, browser: Chromium) -> None:
        self.browser = browser
        self.target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=self.target, flatten=True)["sessionId"]
        browser.call("Page.enable", self.session)
        browser.call("Page.setLifecycleEventsEnabled", self.session, enabled=True)

    def close(self) -> None:
        self.browser.call("Target.closeTarget", targetId=self.target)

    def open(self, url: str) -> None:
        """As if the user had typed the address."""
        self.browser.forget_events()
        result = self.browser.call("Page.navigate", self.session, url=url)
        assert "errorText" not in result, f"{url}: {result['errorText']}"
        self.browser.wait_for("Page.lifecycleEvent", self.session, name="load", loaderId=result["loaderId"])

    def read(self, url: str) -> Any:
        """The JSON that the page is."""
        self.open(url)
        return json.loads(self.evaluate("document.querySelector('pre').textContent"))

    def evaluate(self, script: str) -> Any:
        result = self.browser.call(
            "Runtime.evaluate", self.session, expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")
