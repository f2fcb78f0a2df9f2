"""Debian's Chromium with device-bound sessions, as a user has it but for the keys, which are in software."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Browser"))

from devtools import Chromium, Page, find_chromium  # noqa: E402

_FEATURES = "EnableBoundSessionCredentialsSoftwareKeysForManualTesting"
_NO_QUOTA = (
    "DeviceBoundSessions:RequireOriginTrialTokens/false/RefreshQuota/false/CheckSubdomainRegistration/false"
    "/OriginTrialFeedback/true/SchemaVersion/2"
)
_HAPPENED = "Network.deviceBoundSessionEventOccurred"


def flags(pin: str, quota: bool = False) -> list[str]:
    # Not --ignore-certificate-errors: with it nothing is bound, in silence.
    return [
        f"--enable-features={'DeviceBoundSessions' if quota else _NO_QUOTA},{_FEATURES}",
        f"--ignore-certificate-errors-spki-list={pin}",
    ]


class BoundBrowser(Chromium):
    """A browser that keeps count of its device-bound sessions."""

    def __init__(self, profile: Path, pin: str, quota: bool = False) -> None:
        super().__init__(profile, flags=flags(pin, quota))

    def forget_events(self) -> None:
        """Not those of bound sessions, which come when they like: `forget_bound` does."""
        self._events = [event for event in self._events if event.get("method") == _HAPPENED]

    def forget_bound(self) -> None:
        # Those that are on their way are read first.
        self.call("Browser.getVersion")
        self._events.clear()


class BoundPage(Page):
    """A tab that is told what happens to device-bound sessions."""

    def __init__(self, browser: Chromium) -> None:
        super().__init__(browser)
        browser.call("Network.enable", self.session)
        browser.call("Network.enableDeviceBoundSessions", self.session, enable=True)
        #: Of the bound sessions that were made.
        self.keys: list[dict[str, str]] = []

    def wait_until(self, expression: str) -> Any:
        """What an expression is, once that is something; pages that come one after another may stand in between."""
        end = time.monotonic() + 120
        while True:
            try:
                if found := self.evaluate(expression):
                    return found
            except AssertionError:
                pass  # A page that goes away.
            assert time.monotonic() < end, expression
            time.sleep(0.05)

    def forget_sessions(self) -> None:
        """Has the browser drop the bound sessions that this tab saw it make."""
        for key in self.keys:
            try:
                self.browser.call("Network.deleteDeviceBoundSession", self.session, key=key)
            except AssertionError:
                pass  # It has ended before.

    def happened(self, kind: str, **details: Any) -> dict[str, Any]:
        """The next event of this kind: `creation`, `refresh`, `challenge` or `termination`; waits for it."""

        def wanted(event: dict[str, Any]) -> bool:
            found = event.get(f"{kind}EventDetails")
            return found is not None and details.items() <= found.items()

        return self.browser.event(_HAPPENED, wanted)
