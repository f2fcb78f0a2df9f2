"""A store on the network: Redis itself, killed, stopped and started again."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Iterator

import pytest
from configured import Site
from conftest import Start
from processes import BUILD, free_port, wait_for_port
from visitor import Visitor

pytestmark = [
    pytest.mark.skipif(not (BUILD / "libtuile-redis.so").exists(), reason="libtuile-redis.so is not built"),
    pytest.mark.skipif(shutil.which("redis-server") is None, reason="there is no redis-server on the PATH"),
]


class Redis:
    def __init__(self, site: Site) -> None:
        self.site, self.port = site, free_port()
        self.start()

    def start(self) -> None:
        log = self.site.folder / "redis.log"
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.site.folder, "--appendonly", "yes"]
        with log.open("a") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=output, text=True)
        wait_for_port(self.port, self.process, log)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(60)


@pytest.fixture
def redis(site: Site) -> Iterator[Redis]:
    redis = Redis(site)
    site.store = f"redis://127.0.0.1:{redis.port}/0?timeout=2000"
    yield redis
    redis.process.send_signal(signal.SIGCONT)
    redis.stop()


LOCATION = {
    "nginx": "location /counted { tuile_require pages; try_files /none =204; }",
    "apache": "Alias /test/counted {members}/page.html\n<Location /test/counted>\nRequire tuile-session pages\n</Location>",
}
PATH = {"nginx": "/counted", "apache": "/test/counted"}


def test_redis_away_and_back(start: Start, site: Site, redis: Redis, kind: str) -> None:
    front = start(site, locations=LOCATION[kind].replace("{members}", str(site.members)))
    visitor = Visitor(front.port)
    assert visitor.get(PATH[kind]).status == 401
    for count in range(1, 11):
        assert visitor.get("/count").body == f"{count}\n"
    assert visitor.get(PATH[kind]).status in (200, 204)

    redis.process.send_signal(signal.SIGSTOP)
    response = visitor.get(PATH[kind])
    assert response.status == 503 and response.all("Set-Cookie") == []
    redis.process.send_signal(signal.SIGCONT)
    visitor.wait_until_served("/count")

    redis.stop()
    response = visitor.get("/count")
    assert response.status == 503 and response.all("Set-Cookie") == [] and visitor.cookie
    redis.start()
    visitor.wait_until_served("/count")
    assert visitor.get(PATH[kind]).status in (200, 204)
