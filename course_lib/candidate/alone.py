"""A candidate that is no fork: a fresh, unprotected interpreter, for systems on which a warm process cannot fork.

Started as ``python -m course_lib.candidate.alone PORT FOLDER`` with a token in ``COURSE_LIB_TOKEN``.
"""

import os
import socket
import sys


def main(port: int, folder: str) -> None:
    """Connect to the grader on this machine, and serve it in an empty folder."""
    from course_lib.candidate.candidate import serve
    from course_lib.candidate.notebook import Notebook

    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall(os.environ.pop("COURSE_LIB_TOKEN").encode())
    notebook = Notebook()
    notebook.show_figures_inline()
    os.chdir(folder)
    serve(connection, notebook)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
