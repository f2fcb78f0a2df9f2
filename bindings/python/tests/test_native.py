"""The table of prototypes, the structs and the constants say what the C headers say."""

from __future__ import annotations

import ctypes
import re
import subprocess
import sys
from ctypes import POINTER
from pathlib import Path
from typing import Any

import pytest
from tuile import _native as native
from tuile import cookies

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = str(Path(native.__file__).parents[1])


def code(name: str) -> str:
    """A header without its comments and preprocessor lines."""
    text = re.sub(r"/\*.*?\*/", "", (ROOT / "include" / name).read_text(), flags=re.DOTALL)
    text = text.replace("\\\n", " ")
    return re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE)


HEADER, TYPES = code("tuile.h"), code("tuile/types.h")
FUNCTIONS = {
    name: (result.strip(), parameters)
    for result, name, parameters in re.findall(r"^([\w \t]+[\s*]+)(tuile_\w+)\(([^;]*)\);", HEADER, re.MULTILINE)
}
STRUCTS = {name: body for body, name in re.findall(r"typedef struct \w+ \{(.*?)\} (tuile_\w+);", TYPES, re.DOTALL)}
ENUMS = {name: int(number) for name, number in re.findall(r"\b(TUILE_\w+) = (-?\d+)", TYPES)}

SCALARS: dict[str, Any] = {
    "void": None, "bool": ctypes.c_bool, "double": ctypes.c_double, "size_t": ctypes.c_size_t,
    "int32_t": ctypes.c_int32, "int64_t": ctypes.c_int64, "uint32_t": ctypes.c_uint32, "uint64_t": ctypes.c_uint64,
}  # fmt: skip
HANDLES = set(re.findall(r"typedef struct (\w+) \1;", TYPES))
ENUM_TYPES = set(re.findall(r"typedef enum (\w+)", TYPES))


def mirror(name: str) -> Any:
    """The ctypes name of a struct or callback."""
    return getattr(native, "".join(part.capitalize() for part in name.split("_")[1:]))


def ctype(declared: str) -> Any:
    """What ctypes should say for a C type."""
    base = re.sub(r"\bconst\b|\*", "", declared).strip()
    stars = declared.count("*")
    if stars and base == "char":
        return ctypes.c_char_p
    if stars and base in HANDLES | {"void"}:
        return POINTER(ctypes.c_void_p) if stars == 2 else ctypes.c_void_p
    if base in ENUM_TYPES:
        plain: Any = ctypes.c_int
    else:
        plain = SCALARS[base] if base in SCALARS else mirror(base)
    return POINTER(plain) if stars else plain


def declared_type(parameter: str) -> str:
    return re.sub(r"\w+\s*$", "", parameter.strip())


@pytest.mark.parametrize("name", sorted(native.PROTOTYPES))
def test_prototype_is_the_headers(name: str) -> None:
    result, parameters = FUNCTIONS[name]
    types = [] if parameters.strip() == "void" else [ctype(declared_type(p)) for p in parameters.split(",")]
    assert native.PROTOTYPES[name] == (ctype(result), types)


def test_every_function_of_the_header_has_a_prototype() -> None:
    assert native.PROTOTYPES.keys() == FUNCTIONS.keys()
    assert len(FUNCTIONS) > 60


def test_structs_have_the_compilers_layout(tmp_path: Path) -> None:
    lines, expected = [], {}
    for name in STRUCTS:
        struct = mirror(name)
        lines.append(f'printf("{name} %zu\\n", sizeof({name}));')
        expected[name] = ctypes.sizeof(struct)
        for field, *_ in struct._fields_:
            part = f"{name}.{field}"
            lines.append(f'printf("{part} %zu\\n", offsetof({name}, {field}) * 1000 + sizeof((({name} *)0)->{field}));')
            expected[part] = getattr(struct, field).offset * 1000 + getattr(struct, field).size
    source, program = tmp_path / "layout.c", tmp_path / "layout"
    source.write_text("#include <stdio.h>\n#include <tuile.h>\nint main(void) {" + "".join(lines) + "}")
    subprocess.run(["cc", "-I", ROOT / "include", "-o", program, source], check=True)
    output = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    assert {name: int(number) for name, number in map(str.split, output.splitlines())} == expected
    assert len(STRUCTS) >= 15


@pytest.mark.parametrize("name", sorted(set(STRUCTS) - {"tuile_store_ops"}))
def test_struct_is_the_headers(name: str) -> None:
    fields = []
    for field in filter(None, (part.strip() for part in STRUCTS[name].split(";"))):
        array = re.fullmatch(r"(\w+) (\w+)\[(\d+)\]", field)
        if array:
            kind = ctypes.c_char if array[1] == "char" else SCALARS[array[1]]
            fields.append((array[2], kind * int(array[3])))
        else:
            fields.append((re.findall(r"\w+", field)[-1], ctype(declared_type(field))))
    if name == "tuile_bytes":
        fields[0] = ("data", ctypes.c_char_p)
    assert mirror(name)._fields_ == fields


def test_callbacks_are_the_headers() -> None:
    found = re.findall(r"typedef ([\w ]+) \(\*(\w+)\)\((.*?)\);", TYPES, re.DOTALL)
    found += [(result, name, parameters) for result, name, parameters in
              re.findall(r"(\w+) \(\*(\w+)\)\(([^()]*)\);", STRUCTS["tuile_store_ops"])]  # fmt: skip
    fields = dict(native.StoreOps._fields_)
    for result, name, parameters in found:
        callback = fields[name] if name in fields else mirror(name)
        types = tuple(ctype(declared_type(" ".join(p.split()))) for p in parameters.split(","))
        assert (callback._restype_, callback._argtypes_) == (ctype(result), types), name
    assert len(found) > 10


def test_constants_are_the_headers() -> None:
    statuses = {name.removeprefix("TUILE_") for name in ENUMS if re.match(r"TUILE_(E_|[A-Z]+$|BAD_SIGNATURE)", name)}
    assert len(statuses) == 27
    for name in statuses:
        assert getattr(native, name) == ENUMS[f"TUILE_{name}"]
    for text, number in native.SAME_SITES.items():
        assert number == ENUMS[f"TUILE_SAME_SITE_{(text or 'unset').upper()}"]
    for names, prefix in (
        (native.COOKIE_MODE, "COOKIE_MODE"), (native.ENCODING, "ENCODING"), (native.PRIORITIES, "PRIORITY"), (native.MATCH, "MATCH"),
        (native.DIALECT, "DIALECT"), (native.DIGESTS, "DIGEST"), (native.DERIVATIONS, "DERIVATION"), (native.SECRET, "SECRET"), (native.URL, "URL"),
    ):  # fmt: skip
        unset = "unset" if prefix == "PRIORITY" else "default"
        assert len(names) == sum(name.startswith(f"TUILE_{prefix}_") for name in ENUMS)
        for name, number in names.items():
            assert number == ENUMS[f"TUILE_{prefix}_{(name or unset).upper().replace('-', '_')}"]
    assert list(native.SITES.values()) == [ENUMS[f"TUILE_SITE_{name}"] for name in ("SAME", "NAVIGATION", "CROSS")]
    rules = dict(re.findall(r"TUILE_RULE_(\w+) = 1 << (\d+)", TYPES))
    assert {rule.name: rule.value for rule in cookies.Rule} == {name: 1 << int(bit) for name, bit in rules.items()}
    assert native.RULE == {name.lower().replace("_", "-"): 1 << int(bit) for name, bit in rules.items()}


def test_versions_agree() -> None:
    version = (ROOT / "VERSION").read_text().strip()
    assert native.version() == version
    assert native.VERSION == tuple(map(int, version.split(".")[:2]))


@pytest.mark.parametrize("library", ["/nonexistent/libtuile.so.0", "libc.so.6"])
def test_what_is_no_libtuile_is_an_import_error(library: str) -> None:
    program = [sys.executable, "-c", "import tuile"]
    environment = {"TUILE_LIBRARY": library, "PYTHONPATH": PACKAGE}
    result = subprocess.run(program, env=environment, capture_output=True, text=True)
    assert result.returncode == 1 and "ImportError" in result.stderr and library in result.stderr


def test_another_version_is_refused(tmp_path: Path) -> None:
    source, library = tmp_path / "other.c", tmp_path / "other.so"
    source.write_text("unsigned tuile_version(void) { return 0 << 16 | 9 << 8; }")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    environment = {"TUILE_LIBRARY": str(library), "PYTHONPATH": PACKAGE}
    result = subprocess.run([sys.executable, "-c", "import tuile"], env=environment, capture_output=True, text=True)
    assert "0.9" in result.stderr and "ImportError" in result.stderr


def test_a_library_that_lacks_a_function_is_refused(tmp_path: Path) -> None:
    source, library = tmp_path / "older.c", tmp_path / "older.so"
    source.write_text(f"unsigned tuile_version(void) {{ return {native.VERSION[0]} << 16 | {native.VERSION[1]} << 8; }}")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    environment = {"TUILE_LIBRARY": str(library), "PYTHONPATH": PACKAGE}
    result = subprocess.run([sys.executable, "-c", "import tuile"], env=environment, capture_output=True, text=True)
    assert "older than this package" in result.stderr and "ImportError" in result.stderr
