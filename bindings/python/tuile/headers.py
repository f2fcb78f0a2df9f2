"""What the adapters share: a session's headers among those of a response."""

from __future__ import annotations

INTERRUPTED = b"The session was ended by another request.\n"


def with_session(headers: list[tuple[str, str]], added: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The headers of the response and those of its session, without a second ``Vary: Cookie``."""
    known = {
        word.strip().lower() for name, value in headers if name.lower() == "vary" for word in value.split(",")
    }
    return headers + [pair for pair in added if pair[0].lower() != "vary" or not known & {"cookie", "*"}]
