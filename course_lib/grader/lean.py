"""Shortens the start of a command: most of it goes to imports."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def skip_unused_parsers() -> None:
    """Let jsonschema do without its grammar of web addresses, which takes a second to build when it is imported.

    It is optional there: without it the format "iri" is not checked, and notebooks' schema has none.
    """
    modules: dict[str, Any] = sys.modules
    modules.setdefault("rfc3987_syntax", None)  # None: an import of it fails


@contextmanager
def uncollected() -> Iterator[None]:
    """Import without the garbage collector, which would look again and again through objects that all stay.

    Afterwards it collects as before, and leaves alone what was imported; forks then go on sharing those pages.
    """
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if before:
            gc.enable()
