"""What the command line shows and asks: ``course grade``, ``check``, ``progress`` and ``doctor``."""
