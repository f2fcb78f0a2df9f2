"""A short run of the server under valgrind: no error, and nothing of ours lost."""

from __future__ import annotations

import subprocess
from pathlib import Path

from configured import Site, apache, nginx
from processes import HERE
from visitor import Visitor

VALGRIND = (
    "valgrind",
    "--quiet",
    "--vgdb=no",
    "--error-exitcode=99",
    "--leak-check=full",
    "--show-leak-kinds=definite",
    "--errors-for-leak-kinds=definite",
    "--num-callers=30",
    f"--suppressions={HERE}/valgrind.supp",
)


def visit(visitor: Visitor, paths: tuple[str, ...]) -> None:
    assert visitor.get("/members/page.html").status == 302
    visitor.log_in()
    for path in paths:
        assert visitor.get(path).status in (200, 204), path
    visitor.cookie = "x"
    assert visitor.get("/files/page.html").status == 401


def test_nginx(site: Site) -> None:
    locations = """
      location /inside { tuile_store cookie:; tuile_cookie_name inside; tuile_count n; return 200 $tuile_session_n; }
      location /kept { tuile_refresh 1s; try_files /none =204; }
    """
    front = nginx(site, prefix=VALGRIND, locations=locations, main="master_process off;")
    visit(Visitor(front.port), ("/members/page.html", "/members/", "/inside", "/kept", "/count", "/count", "/"))
    front.stop(front.graceful)
    assert "==" not in front.output(), front.output()


def test_apache(site: Site) -> None:
    # Not with threads: at its end mpm_event frees what a late thread of its own may use still, on a busy machine.
    front = apache(site, prefix=VALGRIND, options=("-X",), mpm="prefork")
    visit(Visitor(front.port), ("/members/page.html", "/members/", "/count", "/count", "/"))
    front.stop()
    assert "==" not in front.output(), front.output()


def test_valgrind_would_tell(tmp_path: Path) -> None:
    """The control: a program that loses memory, and nothing else."""
    source = tmp_path / "lost.c"
    source.write_text("#include <stdlib.h>\nint main(void) { volatile char *lost = malloc(8); lost = 0; return !!lost; }\n")
    subprocess.run(["gcc", "-O0", "-o", tmp_path / "lost", source], check=True)
    assert subprocess.run([*VALGRIND, tmp_path / "lost"], capture_output=True).returncode == 99
