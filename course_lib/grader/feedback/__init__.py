"""What goes back to students: nothing of hidden tests, and nothing that a browser would run."""
