"""The version is VERSION's; a wheel that carries what is compiled is one for this platform and any Python 3."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel

HERE = Path(__file__).resolve().parent
VERSION = next(path for path in (HERE / "VERSION", HERE.parents[1] / "VERSION") if path.exists())
CARRIES_LIBRARY = (HERE / "tuile/libtuile.so.0").exists()
IS_OF_PLATFORM = CARRIES_LIBRARY or (HERE / "tuile/_speedups.abi3.so").exists()


class Carrying(Distribution):
    def has_ext_modules(self) -> bool:
        return IS_OF_PLATFORM


class AnyPython(bdist_wheel):
    def run(self) -> None:
        # pip comes here where no wheel fits. What could not be imported is not installed.
        if not CARRIES_LIBRARY:
            library = os.environ.get("TUILE_LIBRARY") or "libtuile.so.0"
            try:
                ctypes.CDLL(library)
            except OSError as problem:
                raise SystemExit(
                    f"tuile: no wheel fits this system, and the library is not there: {problem}\n"
                    "Install it first: libtuile0 on Debian, elsewhere from the source (docs/building.md); "
                    "the environment variable TUILE_LIBRARY may name its file."
                ) from None
        super().run()

    def get_tag(self) -> tuple[str, str, str]:
        return "py3", "none", super().get_tag()[2]


setup(version=VERSION.read_text().strip(), distclass=Carrying, cmdclass={"bdist_wheel": AnyPython})
