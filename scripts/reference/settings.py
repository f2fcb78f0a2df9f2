"""The table of settings, read from where each is defined: C's struct, Python's types, Django's options, the servers' directives."""

import ast
import re
from collections.abc import Iterator

from interface import ROOT, Item, Section

# What a gate's field is called in tuile_config, where it has another name.
FIELDS = {"browser_close": "expire_at_browser_close"}
# What is called otherwise in Python, where it may be True or False.
IN_PYTHON = {"device_binding": "device_bound"}
# In C alone: what the others have in other words.
C_ALONE = {"size", "fallback_count", "clock_context", "log_context", "wait_context", "open_store"}
UNITS = {"cookie_age": "seconds", "lifetime": "seconds", "refresh": "seconds", "cycle_grace": "seconds", "max_data": "bytes", "max_owned": "sessions", "device_seconds": "seconds"}
NO = "–"


def read(path: str) -> str:
    return (ROOT / path).read_text()


def python() -> set[str]:
    """The keyword arguments of tuile.sessions.Manager."""
    tree = ast.parse(read("bindings/python/tuile/settings.py"))
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    return {line.target.id for name in ("SessionSettings", "CookieSettings", "Given") for line in classes[name].body
            if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name)}


def django() -> set[str]:
    """The keys of TUILE_OPTIONS."""
    tree = ast.parse(read("bindings/python/tuile/django/options.py"))
    options = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Options")
    return {line.target.id for line in options.body if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name)}


def directives(path: str, pattern: str) -> dict[str, str]:
    """Field of the gate's settings to directive."""
    found = {FIELDS.get(field, field): name for name, field in re.findall(pattern, read(path))}
    assert len(found) > 15, path
    return found


def defaults() -> dict[str, str]:
    """The initialiser, field by field."""
    text = read("include/tuile/types.h")
    struct = re.search(r"typedef struct tuile_config \{(.*?)\n\} tuile_config;", text, re.S)
    values = re.search(r"#define TUILE_CONFIG_INIT(.*?)\n\n", text, re.S)
    assert struct and values
    code = re.sub(r"/\*.*?\*/", "", struct[1], flags=re.S)
    fields = re.findall(r"(\w+);", code)
    flat = re.sub(r"[\\\s]+", " ", values[1]).strip().removeprefix("{").removesuffix("}")
    parts = [p.strip() for p in re.split(r",(?![^{]*\})", flat)]
    assert len(parts) == len(fields), (len(parts), len(fields))
    return dict(zip(fields, parts))


def shown(value: str) -> str:
    text = re.fullmatch(r'\{"(.*)", \d+\}', value)
    if text:
        return f'`"{text[1]}"`'
    return {"{NULL, 0}": "empty", "NULL": "none", "false": "off", "true": "on"}.get(value, f"`{value}`")


def rows(config: Item) -> Iterator[list[str]]:
    initial, keywords, options = defaults(), python(), django()
    nginx = directives("bindings/c/nginx/ngx_http_tuile_module.c", r'SETTING\("(\w+)", \w+, (\w+),')
    gate = directives("bindings/c/daemon/directives.c", r'SETTING\("(\w+)", \w+, (\w+),')
    apache = directives("bindings/c/apache/conf.c", r'"(Tuile\w+)", \w+, SITE\((\w+)\)')
    assert nginx == gate, "the gate's directives are nginx's"
    # Those with functions of their own, in place of SITE.
    apache |= {"cookie_same_site": "TuileCookieSameSite", "policy": "TuilePolicy", "secret": "TuileSecretFile"}
    nginx |= {"secret": "tuile_secret_file"}
    known = set()
    for field in config.members:
        if field.name in C_ALONE:
            continue
        own_name = IN_PYTHON.get(field.name, field.name)
        known |= {field.name, own_name}
        said = " ".join(field.text)
        own = re.search(r"\b(SESSION_[A-Z_]+|SECRET_KEY\w*)", said)
        since = re.search(r"Since (\d+\.\d+)", said)
        project = own[1] if own else f'`TUILE_OPTIONS["{own_name}"]`' if own_name in options else NO
        project = {"store": "`TUILE_STORE`"}.get(field.name, f"`{own[1]}`" if own else project)
        yield [field.name, f"`{field.name}`", f"`{own_name}`" if own_name in keywords else NO, project,
               f"`{nginx[field.name]}`" if field.name in nginx else NO, f"`{apache[field.name]}`" if field.name in apache else NO,
               shown(initial[field.name]), UNITS.get(field.name, ""), since[1] if since else "0.1"]
    for name in sorted((keywords | options | nginx.keys() | apache.keys()) - known):
        project = f'`TUILE_OPTIONS["{name}"]`' if name in options else NO
        c = {"policy": "`tuile_config_set_policy`"}.get(name, NO)
        yield [name, c, f"`{name}`" if name in keywords else NO, project, f"`{nginx[name]}`" if name in nginx else NO,
               f"`{apache[name]}`" if name in apache else NO, "", UNITS.get(name, ""), "0.1"]


def table(sections: list[Section]) -> str:
    """One row for each setting, which C and Python call the same."""
    config = next(item for section in sections for item in section.items if item.name == "tuile_config")
    out = ["| C and Python | Django | nginx and the gate; Apache | default | since |", "| --- | --- | --- | --- | --- |"]
    for name, c, keyword, project, nginx, apache, default, unit, since in rows(config):
        own = f"`{name}`" if c == keyword else f"{c} in C" if keyword == NO else f"{keyword} in Python" + (f", {c} in C" if c != NO else "")
        own = NO if c == keyword == NO else own
        servers = "; ".join(each for each in (nginx, apache) if each != NO) or NO
        out.append(f"| {own} | {project} | {servers} | {default}{' ' + unit if default else unit} | {since} |")
    return "\n".join(out)


def explanations(sections: list[Section], prose) -> str:  # type: ignore[no-untyped-def]
    """What each field is, as the header says it."""
    config = next(item for section in sections for item in section.items if item.name == "tuile_config")
    return "\n".join(f"`{m.name}`\n: {prose(' '.join(m.text))}\n" for m in config.members if m.name not in {"size"})


def statuses(sections: list[Section]) -> dict[str, tuple[str, str]]:
    """Each status with its number and what the header says of it."""
    status = next(item for section in sections for item in section.items if item.name == "tuile_status")
    return {value.name: (value.code.removeprefix("= "), " ".join(value.text)) for value in status.members}
