"""Sessions: a manager for the application, a session for each request.

>>> with Manager(store="memory:") as manager:
...     with manager.begin("") as session:
...         session["name"] = "Ada"
...         visits = session.add_int("visits", 1)
...         headers = session.commit(200)
>>> [name for name, _ in headers]
['Set-Cookie', 'Cache-Control', 'Vary']
"""

from __future__ import annotations

from .manager import Manager
from .session import Session, SessionDeleted
from .stores import Store

__all__ = ["Manager", "Session", "SessionDeleted", "Store"]
