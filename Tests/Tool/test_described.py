"""What --help, the man page, the completion and docs/tool.md say is one thing, and true."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from command import BUILD, ROOT, says

MAN = (ROOT / "bindings/c/tool/tuile.1").read_text()
PAGE = (ROOT / "docs/tool.md").read_text()
COMMANDS = re.findall(r"^  ([a-z]+(?: [a-z-]+)?)  ", says("--help"), re.MULTILINE)


def options(command: str) -> dict[str, bool]:
    """Each option and whether it takes an argument."""
    found = re.findall(r"^  --([a-z-]+)( [A-Z=]+)?", says(*command.split(), "--help"), re.MULTILINE)
    return {name: bool(argument) for name, argument in found}


def section(name: str) -> str:
    return MAN.split(f".Sh {name}\n")[1].split(".Sh ")[0]


def test_the_man_page_has_all_commands_and_options() -> None:
    assert len(COMMANDS) == 19
    assert set(re.findall(r"^\.It Cm ((?:[a-z-]+ ?)+?)(?= Ar| Op|$)", section("COMMANDS"), re.MULTILINE)) == set(COMMANDS)
    described = {name: bool(argument) for name, argument in re.findall(r"^\.It Fl -([a-z-]+)( Ar)?", MAN, re.MULTILINE)}
    assert described == {name: takes for command in COMMANDS for name, takes in options(command).items()}


def test_exit_codes_are_the_same_everywhere() -> None:
    helped = dict(re.findall(r"(\d) (\w+)", says("--help").split("Exit codes:")[1]))
    manned = dict(re.findall(r"^\.It (\d)\n(.*)\b", section("EXIT STATUS"), re.MULTILINE))
    documented = dict(re.findall(r"^\| (\d) \| (.*) \|", PAGE, re.MULTILINE))
    assert set(helped) == set(manned) == set(documented) == set("0123")
    for code, word in helped.items():
        assert word in manned[code].lower() and word in documented[code], code


def complete(*words: str) -> set[str]:
    script = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _tuile; printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(
        ["bash", "-c", script, "-", ROOT / "bindings/c/tool/completion.bash", BUILD / "tuile", *words],
        capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    return set(done.stdout.split())


def test_completion() -> None:
    assert complete("") == {command.split()[0] for command in COMMANDS}
    assert complete("session", "") == {command.split()[1] for command in COMMANDS if command.startswith("session")}
    assert complete("s") == {"sign", "session", "serve"}
    for command in ("sign", "cookie build"):
        assert complete(*command.split(), "--") == {f"--{name}" for name in options(command)}
    assert "sqlite:///" in complete("session", "get", "--store", "")


# What zsh would be given to show.
ZSH = """
_describe() { print -rl -- ${${(P)2}%%:*} }
compadd() { print -rl -- ${@[4,-1]} }
file=$1; shift
words=("$@") CURRENT=$#
source $file
"""


def test_completion_for_zsh() -> None:
    def completed(*words: str) -> set[str]:
        done = subprocess.run(
            ["zsh", "-f", "-c", ZSH, "-", ROOT / "bindings/c/tool/completion.zsh", BUILD / "tuile", *words],
            capture_output=True, text=True, timeout=300, check=True,
        )  # fmt: skip
        return set(done.stdout.split())

    assert completed("") == {command.split()[0] for command in COMMANDS}
    assert completed("session", "") == {command.split()[1] for command in COMMANDS if command.startswith("session")}
    for command in ("sign", "cookie build"):
        assert completed(*command.split(), "--") == {f"--{name}" for name in options(command)}
    assert "sqlite:///" in completed("session", "get", "--store", "")


def test_completion_for_fish(tmp_path: Path) -> None:
    def completed(line: str) -> set[str]:
        script = f"source {ROOT / 'bindings/c/tool/completion.fish'}; complete -C '{line}'"
        environment = {"PATH": f"{BUILD}:{os.environ['PATH']}", "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}
        done = subprocess.run(["fish", "--no-config", "-c", script], capture_output=True, text=True, timeout=300, check=True,
                              env=environment)  # fmt: skip
        return {found.split("\t")[0] for found in done.stdout.splitlines()}

    assert completed("tuile ") == {command.split()[0] for command in COMMANDS}
    assert completed("tuile session ") == {command.split()[1] for command in COMMANDS if command.startswith("session")}
    for command in ("sign", "cookie build"):
        assert completed(f"tuile {command} --") == {f"--{name}" for name in options(command)}
    assert "sqlite:///" in completed("tuile session get --store ")


BLOCKS = [block for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)]


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What all blocks say when they are typed into one shell, exit codes other than 0 in brackets."""
    folder: Path = tmp_path_factory.mktemp("page")
    commands = re.findall(r"^\$ (.*)$", "".join(BLOCKS), re.MULTILINE)
    assert len(commands) > 15
    script = "".join(f"echo '$'; {command}\ncode=$?; [ $code = 0 ] || echo \"[$code]\"\n" for command in commands)
    environment = {"PATH": f"{BUILD}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    return done.stdout


def test_the_page_is_true(shell: str) -> None:
    said = [part.strip() for part in shell.split("$\n")[1:]]
    written = [part.partition("\n") for part in re.split(r"^\$ ", "".join(BLOCKS), flags=re.MULTILINE)[1:]]
    for (command, _, expected), really in zip(written, said, strict=True):
        pattern = re.escape(expected.strip()).replace("…", ".*")
        assert re.fullmatch(pattern, really), f"{command}\n{really}"
