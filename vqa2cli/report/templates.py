"""The environment of the HTML templates: every text escaped, a missing one an error."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined

from vqa2cli.report.plain_text import one_line


def environment_of(package: str) -> Environment:
    """Return the environment of the templates in a package; its filter `line` is `one_line`."""
    environment = Environment(
        loader=PackageLoader(package, "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["line"] = one_line
    return environment
