"""From ``source/`` to ``release/``, and the search for what must not be in it."""
