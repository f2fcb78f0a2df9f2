"""The names that settings and arguments may have. What they mean is in ``tuile.h``."""

from __future__ import annotations

from typing import Literal

#: What a cookie's SameSite says.
SameSite = Literal["Lax", "Strict", "None"]
#: What a cookie's Priority says.
Priority = Literal["Low", "Medium", "High"]
#: How a Cookie header is read.
CookieMode = Literal["browser", "django", "strict"]
#: Which of several cookies of one name counts, and what quotes mean; ``default`` is ``django``.
CookieRule = Literal["default", "django", "flask", "go", "express", "rack"]
#: How text is written into a cookie's value.
Encoding = Literal["raw", "percent", "quoted", "quoted-utf8", "base64url"]
#: Whose tokens they are: docs/formats.md says what each needs.
Dialect = Literal[
    "django", "django-cookie", "itsdangerous", "flask", "starlette", "cookie-signature", "express", "keygrip",
    "rails-signed", "rails-encrypted", "gorilla", "rack", "cookie-rs-signed", "cookie-rs-private", "iron-session",
    "sealed", "signed", "fernet", "tornado", "hono", "jwt", "laravel", "laravel-gcm", "auth-js", "data-protection",
]  # fmt: skip
#: The hash function of a signature.
Digest = Literal["sha1", "sha256", "sha384", "sha512"]
#: How Rails encrypts.
Cipher = Literal["aes-256-gcm", "aes-192-gcm", "aes-128-gcm", "aes-256-cbc"]
#: How the key of a signature is made of the secret.
Derivation = Literal["django-concat", "concat", "hmac", "none"]
#: How a secret is written.
KeyFormat = Literal["text", "hex", "base64"]
#: Which sessions are offered to be bound to the browser's device: all logins, or those of ``offer_device_binding``.
DeviceBound = Literal["login", "call"]
#: The limits of NIST SP 800-63B-4.
Policy = Literal["aal2", "aal3"]
#: Where a request of a browser comes from.
Context = Literal["same-site", "cross-site-navigation", "cross-site"]
#: Where in a URL a parameter is.
Place = Literal["query", "path"]
#: How much a message matters.
LogLevel = Literal["error", "warning", "info", "debug"]
