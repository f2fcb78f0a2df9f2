"""``python -m tuile``: what the command ``tuile`` has by the library's functions, with its words, options and exit codes.

0 fine; 1 an ordinary no: absent, expired, a bad signature; 2 usage; 3 error. A secret comes from --secret-file or
the environment variable TUILE_SECRET. inspect, migrate, serve, bench, gate and what looks through all of a store's sessions
(a list of all, of who is logged in, session end) are the command's own (Debian: tuile-tools).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any, Optional

from . import _native as native
from . import arguments, choices, command, errors
from .command import Answer, usage

FINE, NO, ERROR = 0, 1, 3
_COMMANDS_OWN = ("inspect", "migrate", "serve", "bench", "gate")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tuile", description=(__doc__ or "").partition("\n\n")[2])
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, run: Any, words: Sequence[str], help: str, into: Any = commands) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = into.add_parser(name, help=help, description=help)
        made.set_defaults(run=run)
        made.add_argument("--json", action="store_true", help="write one JSON object, for programs")
        for word in words:
            made.add_argument(word.rstrip("?"), nargs="?" if word.endswith("?") else None)
        return made

    def names(kind: Any, lower: bool = False) -> list[str]:
        return [name.lower() if lower else name for name in kind.__args__]

    def secrets(made: argparse.ArgumentParser) -> None:
        made.add_argument("--secret-file", help="the secrets, one a line, the newest first; else TUILE_SECRET")
        made.add_argument("--key-format", choices=names(choices.KeyFormat), default="text")
        made.add_argument("--allow-weak", action="store_true", help="take secrets that are too short to be safe")
        made.add_argument("--allow-shared", action="store_true", help="take files of secrets that others may read")

    add("keygen", command.keygen, [], "write a new secret")
    for name, run, help in (
        ("sign", command.sign, "make the token of a text"), ("verify", command.verify, "check a token and write its text"),
        ("dumps", command.dumps, "make the token of JSON"), ("loads", command.loads, "check a token and write its JSON"),
    ):  # fmt: skip
        made = add(name, run, ["text"], help)
        secrets(made)
        made.add_argument("--dialect", choices=names(choices.Dialect), default="django")
        made.add_argument("--salt", help="the purpose; the framework's own")
        made.add_argument("--name", default="", help="the cookie's name, for dialects that bind to it")
        made.add_argument("--digest", choices=names(choices.Digest))
        made.add_argument("--derivation", choices=names(choices.Derivation))
        made.add_argument("--iterations", type=int, default=1000, help="of Rails' key generator")
        made.add_argument("--legacy", action="store_true", help="the dialect's older form")
        made.add_argument("--no-time", action="store_true", help="the token holds no time")
        made.add_argument("--now", type=int, default=native.UNSET, help="the present time in Unix seconds")
        made.add_argument("--lifetime" if name in ("sign", "dumps") else "--max-age", type=int, help="in seconds")
        if name == "dumps":
            made.add_argument("--compress", action="store_true", help="deflate where that is shorter")

    of_cookies = commands.add_parser("cookie", help="read and write headers").add_subparsers(dest="of", required=True)
    made = add("parse", command.cookie_parse, ["header"], "read a Cookie or Set-Cookie header as browsers do", of_cookies)
    made.add_argument("--mode", choices=names(choices.CookieMode), default="browser")
    made.add_argument("--set-cookie", action="store_true", help="the header is a Set-Cookie")
    made.add_argument("--encoding", choices=names(choices.Encoding), default="raw")
    made = add("build", command.cookie_build, ["name", "value?"], "write a Set-Cookie header, checked by the rules of browsers", of_cookies)
    made.add_argument("--encoding", choices=names(choices.Encoding), default="raw")
    made.add_argument("--max-age", type=int)
    made.add_argument("--expires", type=int)
    made.add_argument("--domain", default="")
    made.add_argument("--path", default="/")
    made.add_argument("--same-site", choices=names(choices.SameSite, lower=True))
    made.add_argument("--priority", choices=names(choices.Priority, lower=True))
    for flag in ("--delete", "--secure", "--http-only", "--partitioned"):
        made.add_argument(flag, action="store_true")

    of_sessions = commands.add_parser("session", help="show and end sessions").add_subparsers(dest="of", required=True)
    for name, run, words, help in (
        ("get", command.session_get, ["key", "name?"], "show a session, or one of its values"),
        ("set", command.session_set, ["key", "name", "value?"], "set a value of a session, or of a new one; without JSON remove it"),
        ("list", command.session_list, ["owner"], "list the sessions of an owner's list"),
        ("revoke", command.session_revoke, ["owner", "id?"], "end one of a user's sessions, or all"),
        ("clear-expired", command.session_clear_expired, [], "remove expired sessions from a store"),
    ):  # fmt: skip
        made = add(name, run, words, help, of_sessions)
        secrets(made)
        made.add_argument("--store", help="where sessions are, or env:NAME; else TUILE_STORE")
        if name == "set":
            made.add_argument("--owner", help="whose session it is from now on")
        elif name == "revoke":
            made.add_argument("--all", action="store_true")
        elif name == "clear-expired":
            made.add_argument("--limit", type=int, default=10_000)
    made = add("check", command.check, ["url?"], "tell whether a store can be read and written")
    made.add_argument("--store", help="where sessions are, or env:NAME; else TUILE_STORE")
    for name in _COMMANDS_OWN:
        commands.add_parser(name, help="only with the command tuile")
    return parser


def main(words: Optional[Sequence[str]] = None) -> int:
    words = sys.argv[1:] if words is None else words
    if words and words[0] in _COMMANDS_OWN:
        usage(f"{words[0]} is the command tuile's own: the library has no function for it")
    given = _parser().parse_args(words)
    try:
        answer = given.run(given)
    except errors.TuileError as problem:
        # Without a number it is the base of all, which says that something is not there.
        return _refuse(given, problem.status or native.ABSENT, str(problem))
    except ValueError:
        return _refuse(given, native.E_SYNTAX, "the value is no JSON")
    write(answer, given.json)
    # An empty list, and nothing to revoke, are an ordinary no.
    return NO if any(answer.get(name, 1) in (0, []) for name in ("cookies", "sessions", "revoked")) else FINE


def _refuse(given: argparse.Namespace, status: int, message: str) -> int:
    print(f"tuile: {shown(message)}", file=sys.stderr)
    if given.json:
        write({"error": arguments.text(native.lib.tuile_status_name(status)), "message": message}, as_json=True)
    return ERROR if status < 0 else NO


def shown(text: str) -> str:
    """What can't move the cursor of a terminal, nor turn the direction of writing."""
    return "".join(
        c if c.isprintable() else "".join(f"\\x{octet:02x}" for octet in arguments.sent(c)) for c in text
    )


def write(answer: Answer, as_json: bool) -> None:
    if as_json:
        whole = json.dumps(_octets_as_hex(answer), separators=(",", ":"), ensure_ascii=False)
        sys.stdout.buffer.write(whole.encode("utf-8", "backslashreplace") + b"\n")
        sys.stdout.buffer.flush()
    elif len(only := [name for name in answer if name not in ("signed", "secret")]) == 1 and only[0] not in ("cookies", "sessions", "revoked", "store"):
        value = answer[only[0]]
        text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
        if sys.stdout.isatty():
            print(shown(text))
        else:
            sys.stdout.buffer.write(arguments.octets(text) + b"\n")
            sys.stdout.buffer.flush()
    else:
        for name, value in answer.items():
            if name == "values":
                for key, held in value.items():
                    print(f"{shown(key)}: {shown(json.dumps(held, separators=(',', ':')))}")
            elif name in ("cookies", "sessions"):
                print(f"{name}:")
                for row in value:
                    for i, (key, held) in enumerate(row.items()):
                        print(f"{'  ' if i else '- '}{key}: {_line(key, held)}")
            elif value is not None:
                print(f"{name}: {_line(name, value)}")


def _octets_as_hex(answer: Answer) -> Answer:
    """As JSON can hold it, which has no other way for octets that are no text."""
    written: Answer = {}
    for name, value in answer.items():
        if name in ("cookies", "sessions"):
            value = [_octets_as_hex(row) for row in value]
        elif isinstance(value, command.JSON):
            value = json.loads(value)
        elif isinstance(value, str) and not value.isprintable():
            octets = arguments.sent(value)
            if octets.decode("utf-8", "replace") != value:
                name, value = f"{name}_hex", octets.hex()
        if value is not None:
            written[name] = value
    return written


def _line(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name in ("created", "seen", "expires", "expires_if_saved_now") and 0 <= value < 253402300800:
        return datetime.fromtimestamp(value, timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")
    return shown(str(value))


if __name__ == "__main__":
    raise SystemExit(main())
