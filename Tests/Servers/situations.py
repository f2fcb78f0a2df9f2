"""Situations of a request: who its user is, which secrets count, what the store and the cookie hold, what is asked for.

What Django makes of one is Django's own answer; what a gate has to make of it follows from that, but for DIFFERENCES.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

OLD = "r_iGp@58WAm!dX3a5ID)nOdcd*bWB2d^C4@(DSDC6Lc1-mxLpQ"
NEW = "a newer secret of more than 32 bytes, 0123456789-abcdef"
OTHER = "another program's secret of more than 32 bytes, 0123456"

# The keys of each gate's file.
FILES = {"old": [OLD], "both": [NEW, OLD], "new": [NEW], "other": [OTHER]}


@dataclass(frozen=True)
class Secrets:
    application: str
    fallbacks: tuple[str, ...]
    signed: str  # the session, and its login
    gate: str  # a name of FILES


SECRETS = {
    "the same": Secrets(OLD, (), OLD, "old"),
    "rotated, a session from before": Secrets(NEW, (OLD,), OLD, "both"),
    "rotated, a session from after": Secrets(NEW, (OLD,), NEW, "both"),
    "rotated in the application first, a session from before": Secrets(NEW, (OLD,), OLD, "old"),
    "rotated in the application first, a session from after": Secrets(NEW, (OLD,), NEW, "old"),
    "the gate without the fallback": Secrets(NEW, (OLD,), OLD, "new"),
    "the old one given up": Secrets(NEW, (), OLD, "new"),
    "the old one given up in the application first": Secrets(NEW, (), OLD, "both"),
    "the gate has another one": Secrets(OLD, (), OLD, "other"),
}

RIGHTS = ("none", "staff", "superuser", "the permission", "a group with it", "a group without it")
USERS = ("as at the login", "not active", "another password", "no usable password", "deleted", "another name")
DATA = ("a login", "a login and more", "nobody", "no hash", "another hash", "no backend", "an unknown backend", "an unknown user", "no user's ID")
STORES = ("there", "about to end", "ended", "gone", "damaged", "no session's text", "away")
COOKIES: dict[str, Callable[[str], list[str]]] = {
    "alone": lambda key: [f"sessionid={key}"],
    "among others": lambda key: [f'a=1; sessionid={key}; b="2"; c'],
    "none": lambda key: [],
    "others alone": lambda key: ["a=1; csrftoken=x"],
    "empty": lambda key: ["sessionid="],
    "shorter": lambda key: [f"sessionid={key[:-1]}"],
    "longer": lambda key: [f"sessionid={key}a"],
    "in upper case": lambda key: [f"sessionid={key.upper()}"],
    "of another name's case": lambda key: [f"SessionID={key}"],
    "in quotes": lambda key: [f'sessionid="{key}"'],
    "with blanks": lambda key: [f"a=1;sessionid = {key} ;b=2"],
    "twice": lambda key: [f"sessionid={key}; sessionid={key}"],
    "after another": lambda key: [f"sessionid={'z' * 32}; sessionid={key}"],
    "before another": lambda key: [f"sessionid={key}; sessionid={'z' * 32}"],
}
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
# The method, the headers, and whether a page is waited for.
KINDS: dict[str, tuple[str, dict[str, str], bool]] = {
    "a page": ("GET", {**BROWSER, "Sec-Fetch-Mode": "navigate"}, True),
    "a page of an old browser": ("GET", BROWSER, True),
    "curl": ("GET", {"Accept": "*/*"}, True),
    "no header at all": ("GET", {}, True),
    "a head": ("HEAD", BROWSER, True),
    "a form": ("POST", {**BROWSER, "Sec-Fetch-Mode": "navigate"}, True),
    "fetch()": ("GET", {"Accept": "*/*", "Sec-Fetch-Mode": "cors"}, False),
    "XMLHttpRequest": ("GET", {"Accept": "*/*", "X-Requested-With": "XMLHttpRequest"}, False),
    "a program": ("GET", {"Accept": "application/json"}, False),
}
RULES = ("members", "viewers")  # login_required, permission_required


@dataclass(frozen=True)
class Situation:
    rights: str
    user: str
    secrets: str
    data: str
    store: str
    cookie: str
    kind: str
    rule: str


# What a gate answers otherwise than Django, and why. Nobody is logged in for it then, but for LETS_IN.
DIFFERENCES: dict[str, Callable[[Situation], bool]] = {
    "whoever controls another host of the domain can add a cookie, so several different ones are none": lambda it: it.cookie
    in ("after another", "before another"),
    "the gate's file has not the secret that signed the session": lambda it: it.secrets
    in ("rotated in the application first, a session from after", "the gate without the fallback", "the gate has another one"),
    "the gate's file still has a secret that the application has given up": lambda it: it.secrets == "the old one given up in the application first",
    "which AUTHENTICATION_BACKENDS a project has is not in its database": lambda it: it.data == "an unknown backend",
}
LETS_IN = tuple(DIFFERENCES)[2:]


def difference(it: Situation) -> str | None:
    return next((reason for reason, applies in DIFFERENCES.items() if applies(it)), None)


def generate(count: int) -> list[Situation]:
    """The same ones each time: every value of a dimension with otherwise ordinary ones, then as chance has it."""
    values = {
        "rights": RIGHTS,
        "user": USERS,
        "secrets": tuple(SECRETS),
        "data": DATA,
        "store": STORES,
        "cookie": tuple(COOKIES),
        "kind": tuple(KINDS),
        "rule": RULES,
    }
    ordinary = {name: each[0] for name, each in values.items()}
    found = {Situation(**{**ordinary, name: value, "rule": rule}): None for name, each in values.items() for value, rule in itertools.product(each, RULES)}
    chance = random.Random(1)
    while len(found) < count:
        # Most of what differs at once would be refused for the first reason alone: half keep the ordinary value.
        chosen = {name: each[0] if name not in ("rule", "kind", "rights") and chance.random() < 0.6 else chance.choice(each) for name, each in values.items()}
        found[Situation(**chosen)] = None
    return list(found)[:count]


LEFT = {"about to end": timedelta(seconds=90), "ended": timedelta(seconds=-5)}
