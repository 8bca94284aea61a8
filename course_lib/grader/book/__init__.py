"""What is recorded: the gradebook and ``autograded/``, each submission whole or not at all."""
