"""The C interface as Python's ctypes sees it; used by scripts/generate-header."""

import re
import textwrap

SCALARS = {
    "bool": "c_bool", "double": "c_double", "size_t": "c_size_t", "int32_t": "c_int32", "int64_t": "c_int64",
    "uint32_t": "c_uint32", "uint64_t": "c_uint64", "int": "c_int",
}  # fmt: skip

INTRO = '''\
"""The structs, constants and functions of tuile.h, as ctypes sees them.

Generated from the library's sources by scripts/generate-header: edit those.
"""

from __future__ import annotations

from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    c_bool,
    c_char,
    c_char_p,
    c_double,
    c_int,
    c_int32,
    c_int64,
    c_size_t,
    c_uint32,
    c_uint64,
    c_void_p,
)
from typing import Any
'''


def plain(text: str) -> str:
    """C without comments and preprocessor lines."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL).replace("\\\n", " ")
    return re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE)


def camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.removeprefix("tuile_").split("_"))


class Interface:
    """Writes tuile/types.h, and declarations of functions, as Python."""

    def __init__(self, types: str) -> None:
        self.types = plain(types)
        self.enums = dict(re.findall(r"typedef enum (\w+) \{(.*?)\}", self.types, re.DOTALL))
        self.structs = dict(re.findall(r"typedef struct (\w+) \{(.*?)\n\}", self.types, re.DOTALL))
        self.handles = set(re.findall(r"typedef struct (\w+) \1;", self.types))

    def ctype(self, declared: str) -> str:
        """The name in Python of a C type."""
        base = re.sub(r"\bconst\b|\*", "", declared).strip()
        stars = declared.count("*")
        if base in self.handles or base == "void":
            return "c_void_p" if stars == 1 else "POINTER(c_void_p)" if stars else "None"
        if base == "char" and stars:
            return "c_char_p"
        found = SCALARS.get(base) or ("c_int" if base in self.enums else camel(base))
        return f"POINTER({found})" if stars else found

    def parameters(self, text: str) -> list[str]:
        parts = [part.strip() for part in text.split(",")]
        return [] if parts == ["void"] else [self.ctype(re.sub(r"\w+$", "", part)) for part in parts]

    def callback(self, result: str, parameters: str) -> str:
        return f"CFUNCTYPE({', '.join([self.ctype(result), *self.parameters(parameters)])})"

    def field(self, text: str) -> tuple[str, str]:
        if function := re.fullmatch(r"(\w+) \(\*(\w+)\)\((.*)\)", text, re.DOTALL):
            return function[2], self.callback(function[1], function[3])
        if array := re.fullmatch(r"(\w+) (\w+)\[(\d+)\]", text):
            kind = "c_char" if array[1] == "char" else self.ctype(array[1])
            return array[2], f"{kind} * {array[3]}"
        name = re.findall(r"\w+", text)[-1]
        return name, self.ctype(re.sub(r"\w+$", "", text))

    def struct(self, name: str) -> str:
        fields = [self.field(part.strip()) for part in self.structs[name].split(";") if part.strip()]
        if name == "tuile_bytes":
            # A bytes object set here is kept alive, which a void * would not do.
            fields[0] = ("data", "c_char_p")
        lines = [f'        ("{field}", {kind}),' for field, kind in fields]
        return "\n".join([f"class {camel(name)}(Structure):", "    _fields_ = [", *lines, "    ]"])

    def enum(self, name: str) -> str:
        members = re.findall(r"(\w+) = (.+?)(?:,|$)", " ".join(self.enums[name].split()))
        if name == "tuile_status":
            return "\n".join(f"{member.removeprefix('TUILE_')} = {number}" for member, number in members)
        words = [member.split("_") for member, _ in members]
        shared = next(i for i, column in enumerate(zip(*words)) if len(set(column)) > 1)
        lines = [f'    "{"-".join(word[shared:]).lower()}": {number},' for word, (_, number) in zip(words, members)]
        return "\n".join([f"{'_'.join(words[0][1:shared])} = {{", *lines, "}"])

    def definitions(self) -> list[str]:
        """Enums, callbacks and structs in the order of the header."""
        found = []
        pattern = r"typedef (?:enum (\w+) \{|struct (\w+) \{|([\w ]+) \(\*(\w+)\)\((.*?)\);)"
        for enum, struct, result, name, parameters in re.findall(pattern, self.types, re.DOTALL):
            if enum:
                found.append(self.enum(enum))
            elif struct:
                found.append(f"\n{self.struct(struct)}\n")
            else:
                line = f"{camel(name)} = {self.callback(result, parameters)}"
                if len(line) > 116:
                    line = line.replace("CFUNCTYPE(", "CFUNCTYPE(\n    ", 1)[:-1] + "\n)"
                found.append(line)
        return found

    def prototype(self, declaration: str) -> str:
        """`tuile_status tuile_x(…);` as an entry of the table."""
        found = re.fullmatch(r"(.*?)(tuile_\w+)\((.*)\);", " ".join(declaration.split()))
        assert found, declaration
        line = f'"{found[2]}": ({self.ctype(found[1])}, [{", ".join(self.parameters(found[3]))}]),'
        return textwrap.fill(line, 116, initial_indent="    ", subsequent_indent="        ", break_long_words=False)


def generate(types: str, declarations: list[str]) -> str:
    """The module, from the text of tuile/types.h and the declarations of the functions."""
    interface = Interface(types)
    blocks = [INTRO.rstrip(), *interface.definitions()]
    table = "\n".join(interface.prototype(declaration) for declaration in declarations)
    blocks.append(f"# Name: (what it returns, what it takes).\nPROTOTYPES: dict[str, tuple[Any, list[Any]]] = {{\n{table}\n}}")
    return re.sub(r"\n{4,}", "\n\n\n", "\n\n".join(blocks)) + "\n"
