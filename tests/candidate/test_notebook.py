"""A cell's outputs are those that Jupyter shows: the same cells run in a real kernel, and here.

What differs on purpose stands in `DIFFERENT`, with the reason.
"""

import re
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from course_lib.candidate.limits import Limits
from course_lib.candidate.notebook import MOST_OUTPUTS
from course_lib.candidate.requests import RunCell
from course_lib.grader.engine.processes import Candidate, WarmServer

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a warm process forks, which is Linux's business")

SAME = {
    "prints": "print('a')\nprint('b', end='')\nprint()",
    "writes": "import sys\nn = sys.stdout.write('abc')\nsys.stdout.flush()\nsys.stdout.writelines(['d', 'e'])",
    "last expression": "1 + 1",
    "nothing to show": "None",
    "semicolon": "3;",
    "assignment": "x = 4",
    "underscore": "_ + 1 if False else 'no'",
    "several expressions": "1\n2\n3",
    "comment": "# nothing",
    "unicode": "print('häh 😀 \u202e')\n'ü'",
    "nested display": "display('one')\nprint('two')\ndisplay({'three': 3})",
    "html": "from IPython.display import HTML, Markdown, Latex, JSON, SVG, Javascript\nHTML('<b>x</b>')",
    "markdown and latex": "display(Markdown('*a*'), Latex('$x$'))",
    "json": "display(JSON({'a': [1, None]}))",
    "raw bundle": "display({'text/plain': 'p', 'text/html': 'h'}, raw=True, metadata={'a': 1})",
    "bytes": "from IPython.display import Image\nImage(data=b'\\x89PNG\\r\\n\\x1a\\n1234', format='png')",
    "update": "h = display('before', display_id=True)\nprint('x')\nh.update('after')",
    "update by name": "from IPython.display import update_display as u\ndisplay(1, display_id=7)\nu(2, display_id=7)",
    "update of nothing": "u(3, display_id='never shown')",
    "clear": "from IPython.display import clear_output\nprint('gone')\nclear_output()\nprint('kept')",
    "own html": "class Table:\n    def _repr_html_(self): return '<td>'\n    def __repr__(self): return 'T'\nTable()",
    "own bundle": "class B:\n    def _repr_mimebundle_(self, **kw): return {'text/plain': 'b'}\nB()",
    "tensor": "import torch\ntorch.arange(3)",
    "figure": "import matplotlib.pyplot as plt\nplt.plot([1, 2]);",
    "figure and value": "plt.figure()\nplt.plot([2, 1])\n'value'",
    "shown figure": "plt.plot([1])\nplt.show()\nprint('after')",
    "several figures": "for _ in range(2):\n    plt.figure()\n    plt.plot([1])",
    "closed figure": "plt.plot([1])\nplt.close()",
    "figure as value": "fig = plt.figure()\nplt.close()\nfig",
    "error": "def g(x):\n    return 1 / x\ng(0)",
    "error after output": "print('before')\nraise ValueError('no\\nlines')",
    "nested error": "try:\n    g(0)\nexcept ZeroDivisionError as e:\n    raise KeyError('k') from e",
    "own error": "class Own(Exception): pass\nraise Own()",
    "error without text": "assert False",
    "syntax": "this is (",
    "indentation": "if True:\nx = 1",
    "name": "no_such_name",
    "keyboard": "raise KeyboardInterrupt",
    "error in repr": "class R:\n    def __repr__(self): raise ValueError('repr')\nR()",
    "error in html": "class H:\n    def _repr_html_(self): raise ValueError\n    def __repr__(self): return 'H'\nH()",
    "await": "import asyncio\nawait asyncio.sleep(0)\nasync def a():\n    return 5\nawait a()",
    "async for": "async def n():\n    yield 1\nasync for i in n():\n    print(i)",
    "capture": "%%capture out\nprint('caught')",
    "captured": "out.stdout",
    "writefile": "%%writefile written.txt\nabc",
    "unknown magic": "%no_such_magic",
    "warning once": "import warnings\nwarnings.simplefilter('always')\nwarnings.warn('careful')",
    "logging": "import logging\nlogging.getLogger('x').warning('logged')",
    "closing streams": "sys.stdout.flush()\nprint('still')",
    "input history": "len(In) > 3",
    "long list": "list(range(2000))",
    "exit function": "import builtins\nhasattr(builtins, 'display')",
    "module": "__name__",
    "classes of the notebook": "import pickle\nclass P: pass\ntype(pickle.loads(pickle.dumps(P()))) is P",
    "time": "%time x = 1",
    "cell time": "%%time\nx = 2",
    "timeit": "%timeit -n 1 -r 1 pass",
}
"""What each cell shows must be what a kernel shows. They run in this order in one notebook."""

DIFFERENT = {
    # A kernel sends each stream when its buffer is full or the other one has waited long enough: in any order.
    "streams in the order of printing": (
        "import sys\nprint('1')\nprint('2', file=sys.stderr)\nprint('3')",
        [("stdout", "1\n"), ("stderr", "2\n"), ("stdout", "3\n")],
    ),
    # A kernel reads them from a pipe meanwhile.
    "descriptors at the end": ("import os\nn = os.write(1, b'below\\n')\nprint('x')", [("stdout", "x\nbelow\n")]),
    "the other descriptor": ("quiet = os.write(2, b'err\\n')", [("stderr", "err\n")]),
    # JupyterLab opens a pane, which a graded notebook has not.
    "help": ("?len", [("stdout", "Signature: len(obj, /)\nDocstring: Return the number of items in a container.\n")]),
    # A kernel has somebody to ask, or raises StdinNotImplementedError.
    "a question": ("try:\n    input('who? ')\nexcept EOFError:\n    print('nobody')", [("stdout", "who? nobody\n")]),
}
"""What differs on purpose: a cell, and the beginnings of the streams that it shows here."""


def comparable(text: str) -> str:
    """Without what differs from run to run: addresses, times, cell file names, colours."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    text = re.sub(r"0x[0-9a-f]+", "0x", text)
    text = re.sub(r"<ipython-input-[^>]*>|Cell In\[\d+\],|[^\s(]*\b\d+\.py\b|/tmp/\S+\.py", "CELL", text)
    return re.sub(r"[\d.]+(?:e\+\d+)? ?(?:[mnuµμ])?s\b", "TIME", text)


def simple(output: Any) -> Any:
    """An output as a notebook's reader sees it."""
    kind = output["output_type"]
    if kind == "stream":
        return "stream", output["name"], comparable(output["text"])
    if kind == "error":
        last = output["traceback"][-1].splitlines()[-1]
        return "error", output["ename"], comparable(output["evalue"]), comparable(last)
    data = {
        mime: "a picture" if mime.startswith("image/") else value if type(value) is not str else comparable(value)
        for mime, value in output["data"].items()
    }
    return kind, data, output["metadata"], output.get("execution_count")


def shown(outputs: list[Any]) -> list[Any]:
    """A cell's outputs as a reader sees them: pieces of one stream are one."""
    seen: list[Any] = []
    for output in map(simple, outputs):
        if seen and output[0] == "stream" == seen[-1][0] and output[1] == seen[-1][1]:
            seen[-1] = (*output[:2], seen[-1][2] + output[2])
        else:
            seen.append(output)
    return seen


@pytest.fixture(scope="module")
def in_jupyter(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    nb = nbformat.v4.new_notebook()
    nb.cells = [nbformat.v4.new_code_cell(text) for text in SAME.values()]
    folder = str(tmp_path_factory.mktemp("kernel"))
    NotebookClient(nb, timeout=60, allow_errors=True, resources={"metadata": {"path": folder}}).execute()
    return dict(zip(SAME, nb.cells, strict=True))


_here: dict[str, Any] = {}


@pytest.fixture
def here(warm_server: WarmServer) -> dict[str, Any]:
    if not _here:
        with warm_server.start(Limits()) as candidate:
            _here.update((name, candidate.ask(RunCell(text, 20.0, 100_000), 30)) for name, text in SAME.items())
    return _here


@pytest.mark.parametrize("name", SAME)
def test_a_cell_shows_what_jupyter_shows(in_jupyter: dict[str, Any], here: dict[str, Any], name: str) -> None:
    assert shown(here[name]["outputs"]) == shown(in_jupyter[name].outputs)


@pytest.mark.parametrize("name", SAME)
def test_cells_are_counted_as_in_jupyter(in_jupyter: dict[str, Any], here: dict[str, Any], name: str) -> None:
    assert here[name]["count"] == in_jupyter[name].execution_count


@pytest.fixture
def candidate(warm_server: WarmServer) -> Any:
    with warm_server.start(Limits()) as started:
        yield started


def run(candidate: Candidate, text: str, *, seconds: float = 10.0, chars: int = 10_000) -> list[dict[str, Any]]:
    return list(candidate.ask(RunCell(text, seconds, chars), seconds + 10)["outputs"])


def test_leaving_a_notebook_leaves_nothing(candidate: Candidate) -> None:
    for text in (
        "exit()",
        "quit()",
        "exit",
        "raise SystemExit(3)",
        "import sys\nsys.exit()",
        "get_ipython().kernel",
    ):
        run(candidate, text)
    assert run(candidate, "1")[0]["data"] == {"text/plain": "1"}


@pytest.mark.parametrize("name", DIFFERENT)
def test_what_differs_on_purpose(candidate: Candidate, name: str) -> None:
    run(candidate, "import os")
    text, streams = DIFFERENT[name]
    outputs = run(candidate, text)
    assert [output["name"] for output in outputs] == [stream for stream, _ in streams]
    assert all(
        comparable(output["text"]).startswith(begin) for output, (_, begin) in zip(outputs, streams, strict=True)
    )


# -------------------------------------------------------------------------------------------------------------- limits


def test_a_flood_is_cut_with_a_note(candidate: Candidate) -> None:
    outputs = run(candidate, "for _ in range(10_000):\n    print('x' * 100)\n1 / 0", chars=1000)
    assert [output["output_type"] for output in outputs] == ["stream", "stream", "error"]
    assert len(outputs[0]["text"]) == 1000
    assert (
        outputs[1]["text"] == "\n… the rest of the output was left out: 1000 characters are kept (limit output_chars)\n"
    )
    assert outputs[2]["ename"] == "ZeroDivisionError"


@pytest.mark.parametrize(
    "text",
    [
        "for n in range(100_000):\n    print(n)\n    print(n, file=__import__('sys').stderr)",
        "for n in range(3000):\n    display(n)",
        "h = display('', display_id=True)\nfor n in range(300):\n    h.update('x' * 100_000)",
        "display({'text/plain': ''}, raw=True, metadata={'a': 'x' * 10**7})",
        "class R:\n    def __repr__(self): return 'x' * 10**7\nR()",
        "raise type('E' * 10**7, (Exception,), {})('y' * 10**7)",
        "deep = []\nfor _ in range(500): deep = [deep]\ndisplay({'application/json': deep}, raw=True)",
        "display({'application/json': {None: 1, (1, 2): 3, 0.5: 6}}, raw=True)",
        "import os\nquiet = [os.write(1, b'x' * 10**5) for _ in range(100)]",
        "import sys\nsys.setrecursionlimit(500)\ndef deep(n): return deep(n + 1)\ndeep(0)",
        "print('\\ud800 \\x00')",
    ],
    ids=[
        "changing streams",
        "displays",
        "updates",
        "metadata",
        "repr",
        "error",
        "deep",
        "keys",
        "descriptor",
        "stack",
        "odd",
    ],
)
def test_much_or_strange_output_stays_within_bounds_and_costs_nothing(candidate: Candidate, text: str) -> None:
    run(candidate, "kept = 1")
    outputs = run(candidate, text, chars=50_000)
    assert len(outputs) <= MOST_OUTPUTS + 2
    assert len(str(outputs)) < 400_000
    assert run(candidate, "kept")[0]["data"] == {"text/plain": "1"}


@pytest.mark.parametrize(
    "text",
    [
        "while True:\n    pass",
        "import time\ntime.sleep(60)",
        "while True:\n    try:\n        while True:\n            pass\n    except Exception:\n        pass",
        "import asyncio\nawait asyncio.sleep(60)",
        "print('first')\nwhile True:\n    print('x')",
    ],
    ids=["loop", "sleep", "catches", "await", "prints"],
)
def test_a_cell_has_its_time(candidate: Candidate, text: str) -> None:
    *_, last = run(candidate, text, seconds=0.5)
    assert (last["ename"], last["evalue"]) == ("CellTimeout", "this cell was stopped after 0.5 s (limit cell_seconds)")
    assert run(candidate, "1")[0]["data"] == {"text/plain": "1"}


def test_a_student_who_breaks_the_streams_breaks_nothing(candidate: Candidate) -> None:
    run(candidate, "import sys\nsys.stdout.close()\nsys.stderr = None\nsys.displayhook = None")
    assert run(candidate, "print('still')")[0]["text"] == "still\n"


def test_the_folder_is_the_students_and_files_stay(candidate: Candidate) -> None:
    run(candidate, "open('x.py', 'w').write('y = 5')")
    assert run(candidate, "import x\nx.y")[0]["data"] == {"text/plain": "5"}
    assert Path.cwd() != Path("/run/scratch")
