"""The version is VERSION's; a wheel that carries the library is one for this platform and any Python 3."""

from __future__ import annotations

from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel

HERE = Path(__file__).resolve().parent
VERSION = next(path for path in (HERE / "VERSION", HERE.parents[1] / "VERSION") if path.exists())
CARRIES_LIBRARY = (HERE / "tuile/libtuile.so.0").exists()


class Carrying(Distribution):
    def has_ext_modules(self) -> bool:
        return CARRIES_LIBRARY


class AnyPython(bdist_wheel):
    def get_tag(self) -> tuple[str, str, str]:
        return "py3", "none", super().get_tag()[2]


setup(version=VERSION.read_text().strip(), distclass=Carrying, cmdclass={"bdist_wheel": AnyPython})
