"""Leaves out an import that takes a second of every start and serves nothing here."""

import sys
from typing import Any


def skip_unused_parsers() -> None:
    """Let jsonschema do without its grammar of web addresses, which it builds when it is imported.

    It is optional there: without it the format "iri" is not checked, and notebooks' schema has none.
    """
    modules: dict[str, Any] = sys.modules
    modules.setdefault("rfc3987_syntax", None)  # None: an import of it fails
