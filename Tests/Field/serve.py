"""Serves the project in this folder until its input ends; prints its port."""

from __future__ import annotations

import logging
import os
import sys

import django

sys.path.insert(0, os.getcwd())
sys.path.append(os.path.dirname(__file__))
django.setup()
logging.disable(logging.CRITICAL)

from drive import served  # noqa: E402

print(served().server_port, flush=True)
sys.stdin.read()
