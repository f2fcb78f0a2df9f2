"""Secrets: those that sign, in their order, and new ones. :mod:`tuile.signing` has these names, too."""

from __future__ import annotations

import os
import threading
from ctypes import byref, c_size_t, c_void_p
from typing import Any, Callable, Optional, TypeVar

from . import _native as native
from . import arguments
from .choices import KeyFormat
from .errors import ArgumentError
from .lifetime import Handle, Uncopyable

_Answer = TypeVar("_Answer")


class Keyring(Uncopyable):
    """Secrets in the order of their use: the first one writes, all read. Signers and managers copy them. Safe from all threads.

    :param keys: secrets, the newest first.
    :param format: how they are written: ``text``, ``hex`` or ``base64``.
    :param allow_weak: takes those under 32 bytes, or with fewer than 8 different ones.
    :raises ArgumentError: an empty or a weak secret, or an unknown format.
    :raises SyntaxProblem: what is not of the format.
    :raises LimitError: more than 65, or one over 4096 bytes.

    .. versionadded:: 0.1.0

    >>> ring = Keyring(generate_key())
    >>> len(ring), ring
    (1, <Keyring of 1 keys>)
    """

    _instead = "it holds secrets; make another one from its keys"

    def __init__(self, *keys: str | bytes, format: KeyFormat = "text", allow_weak: bool = False) -> None:
        number = c_void_p()
        native.check(native.lib.tuile_keyring_new, arguments.switch(allow_weak, "allow_weak"), byref(number))
        self._handle = Handle(number.value, native.lib.tuile_keyring_free, "the keyring is closed")
        # Adding is for one thread at a time.
        self._lock = threading.Lock()
        for key in keys:
            self.add(key, format)

    def add(
        self, key: str | bytes, format: KeyFormat = "text", *, block_key: str | bytes = b"", id: Optional[int] = None
    ) -> None:
        """Adds a secret behind the others.

        :param key: the secret.
        :param format: how it and ``block_key`` are written: ``text``, ``hex`` or ``base64``.
        :param block_key: what gorilla encrypts with beside the key.
        :param id: iron-session's or Tornado's number of it: where one has an id, all need one.
        :raises ArgumentError: an empty or a weak secret, an unknown format, or an id that is negative or another's.
        :raises SyntaxProblem: what is not of the format.
        :raises LimitError: more than 65, or one over 4096 bytes.

        .. versionadded:: 0.1.0

        .. versionchanged:: 0.1.1
           ``block key`` and ``id``.
        """
        constant = arguments.choice(native.SECRET, format, "format")
        texts = native.view(arguments.secret(key, "a key")), native.view(arguments.secret(block_key, "block_key"))
        number = native.UNSET if id is None else native.int64(id, "id")
        add = native.lib.tuile_keyring_add_entry
        self._alone(lambda ring: native.check(add, ring, *texts, number, constant))

    def add_file(self, path: str | bytes | os.PathLike[str], format: KeyFormat = "text", *, shared: bool = False) -> None:
        """Adds the secrets of a file that only its owner may open, one a line.

        :param path: the file.
        :param format: how they are written: ``text``, ``hex`` or ``base64``.
        :param shared: others may read the file, too, as its group does, or a container with a secret mounted into it; write
           it they may not.
        :raises FileError: it can't be read, or others may open it.
        :raises SyntaxProblem: a line that is no secret: spaces around it, quotes or a name before it.
        :raises ArgumentError: an empty or a weak secret, or an unknown format.
        :raises LimitError: more than 1 MiB, 65 secrets, or 4096 bytes in one.

        .. versionadded:: 0.1.0

        .. versionchanged:: 0.1.1
           ``shared``, and ``path`` may be a ``Path``.
        """
        path = arguments.path(path)
        self._add(native.lib.tuile_keyring_add_file, path, format, native.SHARED_FILE if shared else 0)

    def add_environment(self, variable: str, format: KeyFormat = "text") -> None:
        """Adds the secrets in a variable of the environment, one a line.

        :param variable: its name.
        :param format: how they are written: ``text``, ``hex`` or ``base64``.
        :raises KeyError: there is no such variable, or the program runs with raised rights.
        :raises SyntaxProblem: a line that is no secret.
        :raises ArgumentError: an empty or a weak secret, or an unknown format.
        :raises LimitError: more than 65 secrets, or one over 4096 bytes.

        .. versionadded:: 0.1.0
        """
        name = arguments.octets(variable, "variable")
        if self._add(native.lib.tuile_keyring_add_environment, name, format) == native.ABSENT:
            raise KeyError(variable)

    def _add(self, function: Any, octets: bytes, format: str, flags: int = 0) -> int:
        constant, key = arguments.choice(native.SECRET, format, "format"), native.view(octets)
        return self._alone(lambda ring: native.check(function, ring, key, constant | flags))

    def _alone(self, call: Callable[[int], _Answer]) -> _Answer:
        with self._lock:
            return self._handle.use(call)

    def derive(self, purpose: str | bytes) -> Keyring:
        """A ring of what each secret gives for a purpose, in the same order: see :func:`derive_key`.

        :param purpose: any text, such as a dialect's name.
        :returns: a new ring.
        :raises ArgumentError: the ring or the purpose is empty.
        :raises LimitError: a purpose over 4096 bytes.

        .. versionadded:: 0.1.1
        """
        number, derived, use = c_void_p(), Keyring(), native.view(purpose, "purpose")
        self._alone(lambda ring: native.check(native.lib.tuile_keyring_derive, ring, use, byref(number)))
        derived._handle = Handle(number.value, native.lib.tuile_keyring_free, "the keyring is closed")
        return derived

    def __len__(self) -> int:
        count = c_size_t()
        self._alone(lambda ring: native.lib.tuile_keyring_count(ring, byref(count)))
        return count.value

    def __repr__(self) -> str:
        return f"<Keyring of {len(self)} keys>"


def generate_key() -> str:
    """A new key: 256 random bits in URL-safe base64.

    :returns: 43 characters, good as a secret of each framework that takes text.

    .. versionadded:: 0.1.0

    >>> len(generate_key())
    43
    """
    status, key = native.filled(43, lambda *out: native.lib.tuile_secret_generate(*out, None))
    if status != native.OK:
        raise native.failure(status)
    return key.decode("ascii")


def derive_key(secret: str | bytes, purpose: str | bytes) -> str:
    """The secret that another one, of 32 bytes or more, gives for a purpose: for each dialect one of
    its own, since those that share one may give each other away.

    :param secret: of 32 bytes or more.
    :param purpose: any text, such as a dialect's name.
    :returns: 43 characters of URL-safe base64.
    :raises ArgumentError: the purpose is empty, or the secret under 32 bytes.
    :raises LimitError: one of them is over 4096 bytes.

    .. versionadded:: 0.1.1

    >>> derive_key("a secret that has its thirty-two bytes and more", "express")
    'xyz4ioICYMn2v3jkvyDiGj0rK-ZsltQkxJyv9fZ7iQs'
    """
    given, use = native.view(arguments.secret(secret, "secret")), native.view(purpose, "purpose")
    error = native.Error()
    derive = native.lib.tuile_secret_derive
    status, key = native.filled(43, lambda *out: derive(given, use, *out, byref(error)))
    if status != native.OK:
        raise native.failure(status, error)
    return key.decode("ascii")
