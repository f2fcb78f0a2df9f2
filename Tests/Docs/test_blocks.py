"""Every code block of the documents is compiled and run, here or where DELEGATED says.

A page's blocks of C are one program: functions and whole declarations of the file
first, then the statements, each block in braces, where a manager, a session and a
tuile_error are at hand. The text block behind a block is what it prints.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "bindings/python/README.md", *sorted((ROOT / "docs").glob("*.md"))]
LIBRARY = Path(os.environ.get("TUILE_LIBRARY", ROOT / "build/libtuile.so.0")).resolve()

# What has tests of its own: they take the blocks from the page.
DELEGATED = {
    "README.md c": "scripts/check-readme",
    "README.md python": "scripts/check-readme",
    "docs/apache.md apache": "Tests/Servers/configured.py",
    "docs/device-bound.md nginx": "Tests/Servers/test_binding.py",
    "docs/gate.md nginx": "Tests/Servers/configured.py",
    "docs/gate.md text": "Tests/Servers/configured.py",
    "docs/getting-started.md sh": "Tests/Packages/getting_started.py",
    "docs/getting-started.md text": "Tests/Packages/getting_started.py",
    "docs/nginx.md nginx": "Tests/Servers/configured.py",
    "docs/python-tutorial.md python": "Tests/Tutorial/follow.py",
    "docs/python-tutorial.md sh": "Tests/Tutorial/follow.py",
    "docs/tool.md console": "Tests/Tool/test_described.py",
    "docs/tutorial-c.md sh": "Tests/Docs/test_tutorial_c.py",
}

PROGRAM = """#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <tuile.h>
%s
int main(void) {
  tuile_error error;
  tuile_config configuration = TUILE_CONFIG_INIT;
  configuration.secret = TUILE_STR("a secret that has its thirty-two bytes and more"), configuration.store = TUILE_STR("memory:");
  tuile_manager *manager;
  if (tuile_manager_open(&configuration, &manager, &error) != TUILE_OK) return 1;
  tuile_session *session;
  if (tuile_session_start(manager, TUILE_STR(""), TUILE_STR(""), &session, &error) != TUILE_OK) return 1;
%s  tuile_session_end(session);
  tuile_manager_close(manager);
}
"""


# For a coroutine `answer`, called twice by a visitor.
COROUTINE = """#include <coroutine>
#include <cstdio>
#include <poll.h>
#include <string>
#include <tuile.hpp>
struct Task {
  struct promise_type {
    Task get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { throw; }
  };
};
struct Response {
  int status = 200;
  std::string body, cookie;
  void add(std::string_view name, std::string_view value) {
    if (name == "Set-Cookie") cookie = value.substr(0, value.find(';'));
  }
};
%s
int main() {
  tuile_config config = TUILE_CONFIG_INIT;
  config.store = TUILE_STR("memory:");
  tuile::Manager manager = *tuile::Manager::open(config);
  tuile::Queue queue = *tuile::Queue::open(manager);
  std::string cookies;
  for (int i = 0; i < 2; i++) {
    Response response;
    answer(manager, queue, response, cookies);
    while (response.cookie.empty() && response.status == 200) {
      pollfd wanted{queue.fd(), POLLIN, 0};
      if (poll(&wanted, 1, 20000) != 1) return 1;
      queue.run();
    }
    std::printf("%%d %%s\\n", response.status, response.body.c_str());
    cookies = response.cookie;
  }
}
"""


class Block(NamedTuple):
    page: str
    language: str
    text: str

    @property
    def kind(self) -> str:
        return f"{self.page} {self.language}"


def blocks(page: Path) -> list[Block]:
    found = re.findall(r"^```(\{?\w*[^\n`]*)\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    # What begins with a brace is a directive of Sphinx: a list of pages, a picture, the reference.
    return [Block(str(page.relative_to(ROOT)), language, text) for language, text in found if not language.startswith("{")]


ALL = [block for page in PAGES for block in blocks(page)]
HERE = {page: [block for block in ALL if block.page == page and block.kind not in DELEGATED] for page in {b.page for b in ALL}}


def of(*languages: str) -> list[str]:
    return sorted(page for page, found in HERE.items() if any(block.language in languages for block in found))


def test_no_block_is_left_out() -> None:
    assert {block.language for found in HERE.values() for block in found} <= {"c", "cpp", "python", "text"}
    for kind, tester in DELEGATED.items():
        page, language = kind.split()
        assert [block for block in ALL if block.kind == kind], f"{kind} is gone"
        text = (ROOT / tester).read_text() + "".join(path.read_text() for path in (ROOT / tester).parent.glob("run*"))
        assert Path(page).name in text, f"{tester} does not look at {page}"
    for block in ALL:
        if block.language in ("apache", "nginx"):
            assert sum(other.kind == block.kind for other in ALL) == 1, "their test takes the first one"


def expected(page: str) -> str:
    return "".join(block.text for block in HERE[page] if block.language == "text")


@pytest.mark.parametrize("page", of("c"))
def test_c(page: str, tmp_path: Path) -> None:
    texts = [block.text for block in HERE[page] if block.language == "c"]
    functions = "".join(text for text in texts if text.startswith("static "))
    statements = "".join(f'  {{\n{text}  }}\n  puts("");\n' for text in texts if not text.startswith("static "))
    (tmp_path / "page.c").write_text(PROGRAM % (functions, statements))
    flags = ["-std=c11", "-Wall", "-Wextra", "-Werror", f"-I{ROOT / 'include'}"]
    subprocess.run(["cc", *flags, "page.c", "-o", "page", str(LIBRARY), f"-Wl,-rpath,{LIBRARY.parent}"], cwd=tmp_path, check=True)
    done = subprocess.run(["./page"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    said = [line for line in done.stdout.splitlines() if line]
    # "…" stands for what is another each time.
    shown = [re.sub("…", ".+", re.escape(line)) for line in expected(page).splitlines()]
    assert done.returncode == 0 and len(said) == len(shown), (said, done.stderr)
    assert all(re.fullmatch(pattern, line) for pattern, line in zip(shown, said)), said


@pytest.mark.parametrize("page", of("cpp"))
def test_cpp(page: str, tmp_path: Path) -> None:
    (text,) = (block.text for block in HERE[page] if block.language == "cpp")
    (tmp_path / "page.cc").write_text(COROUTINE % text)
    flags = ["-std=c++20", "-Wall", "-Wextra", "-Wno-unused-variable", "-Werror", f"-I{ROOT / 'include'}", f"-I{ROOT / 'bindings/c'}"]
    subprocess.run(["g++", *flags, "page.cc", "-o", "page", str(LIBRARY), f"-Wl,-rpath,{LIBRARY.parent}"], cwd=tmp_path, check=True)
    done = subprocess.run(["./page"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "200 1\n200 2\n"), done.stderr


@pytest.mark.parametrize("page", [page for page in of("python") if page.startswith("docs/")])
def test_python(page: str, tmp_path: Path) -> None:
    script = "".join(block.text for block in HERE[page] if block.language == "python")
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, expected(page)), done.stderr


def test_the_package_s_own_page() -> None:
    """Its lines that are changed need an application each; the rest is a program."""
    import flask
    import starlette.applications
    import tuile.asgi
    import tuile.flask
    import tuile.wsgi

    lines, alone = (block.text for block in HERE["bindings/python/README.md"])
    applications = {
        "SESSION_ENGINE": None,
        "app.session_interface": flask.Flask("page"),
        "app.add_middleware": starlette.applications.Starlette(),
        "application": lambda environ, start_response: [],
    }
    assert len(lines.splitlines()) == len(applications)
    for line, (start, application) in zip(lines.splitlines(), applications.items()):
        assert line.startswith(start)
        names = {"tuile": tuile, "app": application, "application": application}
        exec(line, names)
        if start == "SESSION_ENGINE":
            assert names[start] == "tuile.django" and (Path(tuile.__file__).parent / "django/__init__.py").exists()
    done = subprocess.run([sys.executable, "-c", alone], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stdout.startswith("1\n[('Set-Cookie', 'sessionid="), done.stderr
