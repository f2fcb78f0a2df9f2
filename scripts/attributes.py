"""What the compiler is told of the functions in tuile.h; used by scripts/generate-header."""

import re

# Nobody can go on rightly without the answer: what makes something, verifies, saves, ends or adds a secret.
MUST_CHECK = re.compile(
    r"tuile_(?:\w+_(?:new|open|open_ops|verify|reload|commit|revoke|revoke_all|start)|keyring_(?:add\w*|derive|verify_login)"
    r"|secret_(?:derive|generate)|token_(?:unsign|loads)|hidden_field_read|csrf_(?:secret|token)|jar_save"
    r"|session_(?:flush|cycle_id|set_owner|answer_device|refuse))")

# Where a function needs a place to write to, or a configuration: never one of the pointers that a host gets from
# elsewhere, since the compiler takes it that these are not NULL.
NEEDED = re.compile(
    r"(?:const )?(?:tuile_(?:config|signer_config|signing|verification|url_parameter|store_ops|jar_request|jar_config|set_cookie|django_cookie|cookies|hidden_field|csrf_request|stats|latency|device_request|device_answer) \*"
    r"|tuile_\w+ \*\*|tuile_cookie \*|size_t \*position|tuile_bytes \*value)")
# NULL says something there.
MAY_BE_NULL = {("tuile_jar_new", 1)}


def before(name: str, declaration: str) -> str:
    """What stands in front of a declaration, on a line of its own, or nothing."""
    marks = ["TUILE_MUST_CHECK"] if MUST_CHECK.fullmatch(name) else []
    parameters = " ".join(declaration.split("(", 1)[1].rstrip(");").split()).split(", ")
    places = [i for i, text in enumerate(parameters, 1) if NEEDED.match(text) and (name, i) not in MAY_BE_NULL]
    if places:
        marks.append(f"TUILE_NONNULL({', '.join(map(str, places))})")
    return " ".join(marks) + "\n" if marks else ""
