"""Every exception is a TuileError, and in ``tuile`` by its name."""

from __future__ import annotations

import importlib
import pickle
import pkgutil
from typing import Any

import pytest
import tuile
from tuile import errors, signing
from tuile.sessions import Manager, SessionDeleted

SECRET = "a secret that has its thirty-two bytes and more"


def exceptions() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for module in pkgutil.walk_packages(tuile.__path__, "tuile."):
        # Those of Django's applications need its settings; beside the package the wheel has libraries.
        if not module.name.startswith(("tuile.django.", "tuile.__main__", "tuile.libtuile")):
            for name, value in vars(importlib.import_module(module.name)).items():
                if isinstance(value, type) and issubclass(value, Exception) and value.__module__.startswith("tuile"):
                    found[f"{value.__module__}.{name}"] = value
    # That one is Werkzeug's BadRequest.
    del found["tuile.flask.SessionInterrupted"]
    return found


def test_each_is_exported() -> None:
    found = exceptions()
    assert {kind.__name__ for kind in found.values()} == {*errors.__all__}
    for path, kind in found.items():
        assert issubclass(kind, tuile.TuileError), path
        assert getattr(tuile, kind.__name__) is kind and kind.__name__ in tuile.__all__ and kind.__name__ in errors.__all__
        # A worker's exception reaches its parent.
        assert type(pickle.loads(pickle.dumps(kind("x")))) is kind


def test_a_bad_signature_is_one() -> None:
    signer = signing.TimestampSigner(key=SECRET)
    with pytest.raises(tuile.TuileError) as caught:
        signer.unsign("x:y:z")
    assert type(caught.value) is tuile.BadSignature is signing.BadSignature and caught.value.status > 0
    with pytest.raises(tuile.TuileError) as caught:
        signer.unsign(signer.sign("x"), max_age=-1)
    assert type(caught.value) is tuile.SignatureExpired and isinstance(caught.value, tuile.BadSignature)


def test_a_session_that_another_request_ended_is_one() -> None:
    with Manager(store="memory:") as manager:
        with manager.begin("") as session:
            session["a"] = 1
            cookie = dict(session.commit())["Set-Cookie"].partition(";")[0]
        with manager.begin(cookie) as slow, manager.begin(cookie) as other:
            slow["a"] = 2
            other.flush()
            other.commit()
            with pytest.raises(tuile.SessionDeleted):
                slow.commit()
    assert SessionDeleted is tuile.SessionDeleted
