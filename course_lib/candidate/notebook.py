"""Runs a notebook's cells as Jupyter does, without Jupyter: IPython's shell, and what it shows recorded in order.

What a cell prints, displays and returns, its figures and its error come back in nbformat's form of outputs, as plain
data. Figures that were not shown are shown at the end of the cell, as ``%matplotlib inline`` does.
"""

import base64
import contextlib
import io
import os
import sys
import tempfile
import traceback
import types
from collections.abc import Iterator
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from course_lib.checks.alarm import Alarm, TimeIsUp

Output = dict[str, Any]
"""One output of a cell in nbformat's form."""

MOST_OUTPUTS = 1000
"""Outputs kept of a cell. Each display is one, and each change between the streams begins one."""

CELL_TIME = "CellTimeout"
"""The name of the error recorded in a cell that ran into its time limit."""


class Recorder:
    """The outputs of the cell that runs, in order, up to a number of characters and of outputs."""

    def __init__(self) -> None:
        self.start(0)

    def start(self, limit: int) -> None:
        """Forget everything, and keep up to ``limit`` characters from now on."""
        self.outputs: list[Output] = []
        self.left = limit
        self.limit = limit
        self.full = False
        self._by_display_id: dict[str, Output] = {}

    def stream(self, name: str, text: str) -> None:
        """Something was printed."""
        if self.full or not text:
            return
        kept = text[: max(self.left, 0)]
        self.left -= len(text)
        last = self.outputs[-1] if self.outputs else None
        if last is not None and last["output_type"] == "stream" and last["name"] == name:
            last["text"].append(kept)
        else:
            self.outputs.append({"output_type": "stream", "name": name, "text": [kept]})
        self._check()

    def show(self, kind: str, data: dict[str, Any], metadata: dict[str, Any], **more: Any) -> Output | None:
        """Something was displayed or returned."""
        shown = self._fitting(data, metadata)
        if shown is None:
            return None
        output = {"output_type": kind, "data": shown, "metadata": metadata, **more}
        self.outputs.append(output)
        self._check()
        return output

    def display(self, data: dict[str, Any], metadata: dict[str, Any], display_id: str, update: bool) -> None:
        """``display(...)`` was called, perhaps to replace what it showed under the same id."""
        known = self._by_display_id.get(display_id) if display_id else None
        if update:
            shown = self._fitting(data, metadata) if known is not None else None
            if known is not None and shown is not None:
                self.left += _size(known["data"], known["metadata"])
                known.update(data=shown, metadata=metadata)
            return
        output = self.show("display_data", data, metadata)
        if display_id and output is not None:
            self._by_display_id[display_id] = output

    def error(self, name: str, text: str, lines: list[str]) -> None:
        """The cell stopped. Kept however full it is: it is what the student looks for."""
        self.outputs.append(
            {"output_type": "error", "ename": name[:200], "evalue": text[:10_000], "traceback": _bounded(lines)}
        )

    def finished(self) -> list[Output]:
        """The outputs, each stream's text in one piece."""
        return [{**o, "text": "".join(o["text"])} if o["output_type"] == "stream" else o for o in self.outputs]

    def _fitting(self, data: dict[str, Any], metadata: dict[str, Any]) -> dict[str, Any] | None:
        """What is displayed, as it is kept, when there is room for it."""
        shown = {mime: _text_of(value) for mime, value in data.items()}
        size = _size(shown, metadata)
        if self.full or size > self.left:
            self.left = -1
            self._check()
            return None
        self.left -= size
        return shown

    def _check(self) -> None:
        if self.full or (self.left >= 0 and len(self.outputs) < MOST_OUTPUTS):
            return
        self.full = True
        kept = f"{self.limit} characters are kept (limit output_chars)"
        if self.left >= 0:
            kept = f"{MOST_OUTPUTS} outputs are kept"
        note = f"\n… the rest of the output was left out: {kept}\n"
        self.outputs.append({"output_type": "stream", "name": "stderr", "text": [note]})


class _Stream(io.TextIOBase):
    """What ``sys.stdout`` and ``sys.stderr`` are while a cell runs."""

    encoding = "utf-8"

    def __init__(self, recorder: Recorder, name: str) -> None:
        super().__init__()
        self._recorder = recorder
        self._name = name

    def write(self, text: str) -> int:
        self._recorder.stream(self._name, str(text))
        return len(text)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return 1 if self._name == "stdout" else 2

    def close(self) -> None:
        """Stay open: a student who closes ``sys.stdout`` closes nothing of ours."""


class _Publisher(DisplayPublisher):
    recorder: Recorder

    def publish(
        self,
        data: dict[str, Any],
        metadata: dict[str, Any] | None = None,
        source: Any = None,
        *,
        transient: dict[str, Any] | None = None,
        update: bool = False,
        **kwargs: Any,
    ) -> None:
        display_id = str((transient or {}).get("display_id") or "")
        self.recorder.display(dict(data), dict(metadata or {}), display_id, update)

    def clear_output(self, wait: bool = False) -> None:
        self.recorder.outputs.clear()


class _Hook(DisplayHook):
    recorder: Recorder

    def write_output_prompt(self) -> None:
        """A notebook shows the number beside the cell."""

    def write_format_data(self, format_dict: dict[str, Any], md_dict: dict[str, Any] | None = None) -> None:
        self.recorder.show("execute_result", dict(format_dict), dict(md_dict or {}), execution_count=self.prompt_count)

    def finish_displayhook(self) -> None:
        """No blank line: there is no terminal."""


class _Shell(InteractiveShell):
    recorder: Recorder
    time_message: str = ""

    def showtraceback(self, exc_tuple: Any = None, *args: Any, **kwargs: Any) -> None:
        etype, error, at = self._get_exc_info(exc_tuple)  # type: ignore[no-untyped-call]
        if issubclass(etype, RecursionError):  # IPython would take seconds for its thousands of equal frames
            frames = list(traceback.walk_tb(at))
            first, last = (traceback.StackSummary.extract(iter(part)) for part in (frames[:6], frames[-6:]))
            shown = [*first.format(), "  …\n", *last.format()]
            lines = "".join(["Traceback (most recent call last):\n", *shown, f"{etype.__name__}: {error}"])
            self._showtraceback(etype, error, lines.split("\n"))
            return
        super().showtraceback(exc_tuple, *args, **kwargs)

    def _format_exception_for_storage(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Nothing is stored: IPython would make every traceback a second time, for a history that is off."""
        return {"ename": "", "evalue": "", "traceback": []}

    def _showtraceback(self, etype: Any, evalue: Any, stb: list[str]) -> None:
        if etype is TimeIsUp:
            self.recorder.error(CELL_TIME, self.time_message, [f"{CELL_TIME}: {self.time_message}"])
            return
        with contextlib.suppress(Exception):  # a student's exception may refuse to be written
            name, text = str(etype.__name__), str(evalue)
            self.recorder.error(name, text, [str(line) for line in stb])
            return
        self.recorder.error("Exception", "", ["an exception that cannot be shown as text"])

    def init_virtualenv(self) -> None:
        """Nothing to look for: the packages are those of this process."""

    def ask_exit(self) -> None:
        """``exit`` in a notebook's cell ends nothing here: the cells after it run."""


class Notebook:
    """A shell whose cells are run one by one. Made once in the warm process; each fork of it runs one notebook."""

    def __init__(self) -> None:
        self.recorder = Recorder()
        config = Config()
        config.HistoryManager.enabled = False  # no database, and no thread that writes it
        config.InteractiveShell.colors = "linux"
        config.InteractiveShell.cache_size = 0
        self.shell = _Shell.instance(
            config=config, display_pub_class=_Publisher, displayhook_class=_Hook, user_module=_main_module()
        )
        parts: tuple[Any, ...] = (self.shell, self.shell.display_pub, self.shell.displayhook)
        for part in parts:
            part.recorder = self.recorder
        os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"

    def show_figures_inline(self) -> None:
        """As ``%matplotlib inline``. A notebook that imports matplotlib later does it by itself, as in every kernel."""
        from IPython.core.pylabtools import activate_matplotlib
        from matplotlib_inline.backend_inline import configure_inline_support

        backend = os.environ["MPLBACKEND"]
        # Interactive, or else a figure that nobody shows is not noticed at the end of its cell.
        activate_matplotlib(backend)  # type: ignore[no-untyped-call]
        configure_inline_support(self.shell, backend)  # type: ignore[no-untyped-call]

    def run(self, text: str, *, seconds: float, output_chars: int) -> dict[str, Any]:
        """Run a cell.

        Args:
            text: the cell's source.
            seconds: how long it may take.
            output_chars: how many characters of output are kept.

        Returns:
            ``outputs``, and ``count``: the cell's number.
        """
        self.recorder.start(output_chars)
        self.shell.time_message = f"this cell was stopped after {seconds:g} s (limit cell_seconds)"
        alarm = Alarm(seconds)
        with _streams(self.recorder):
            try:
                alarm.start()
                try:
                    self.shell.run_cell(text, store_history=True)  # type: ignore[no-untyped-call]
                finally:
                    alarm.over = True
            except TimeIsUp:
                message = self.shell.time_message
                self.recorder.error(CELL_TIME, message, [f"{CELL_TIME}: {message}"])
            except Exception as error:  # the compiler's own, for a text that it cannot take in
                name = type(error).__name__
                self.recorder.error(name, str(error), [f"{name}: {error}"])
            finally:
                alarm.stop()
        if alarm.rings and all(output.get("ename") != CELL_TIME for output in self.recorder.outputs):
            # Somebody on the way caught it: an event loop, a destructor, the student.
            message = self.shell.time_message
            self.recorder.error(CELL_TIME, message, [f"{CELL_TIME}: {message}"])
        return {"outputs": self.recorder.finished(), "count": self.shell.execution_count - 1}


@contextlib.contextmanager
def _streams(recorder: Recorder) -> Iterator[None]:
    """Record what is written to Python's streams, and below them to the descriptors 1 and 2 (C code does)."""
    out, err = sys.stdout, sys.stderr
    streams: Any = (_Stream(recorder, "stdout"), _Stream(recorder, "stderr"))
    sys.stdout, sys.stderr = streams
    sys.__stdout__, sys.__stderr__ = streams  # type: ignore[misc]
    try:
        yield
    finally:
        sys.stdout, sys.stderr = out, err
        for number, name in ((1, "stdout"), (2, "stderr")):
            with contextlib.suppress(OSError):
                size = os.fstat(number).st_size
                if size:
                    text = os.pread(number, min(size, recorder.limit + 1), 0).decode("utf-8", "replace")
                    os.ftruncate(number, 0)
                    recorder.stream(name, text)


def redirect_descriptors() -> None:
    """Let the descriptors 1 and 2 lead into files without a name, which :meth:`Notebook.run` reads after each cell."""
    for number in (1, 2):
        with tempfile.TemporaryFile() as file:
            os.dup2(file.fileno(), number)
        with contextlib.suppress(OSError):
            import fcntl  # not at the top of the file: Windows has no such module

            fcntl.fcntl(number, fcntl.F_SETFL, os.O_APPEND)


def _main_module() -> Any:
    """A fresh ``__main__`` for the cells: nothing of the process's own is in it."""
    module = types.ModuleType("__main__", "Automatically created module for IPython interactive environment")
    sys.modules["__main__"] = module
    return module


def _size(data: dict[str, Any], metadata: dict[str, Any]) -> int:
    return sum(len(str(value)) for value in data.values()) + (len(str(metadata)) if metadata else 0)


def _text_of(value: Any) -> Any:
    return base64.b64encode(value).decode("ascii") if isinstance(value, bytes) else value


def _bounded(lines: list[str], most: int = 200_000) -> list[str]:
    kept = []
    for line in lines:
        most -= len(line)
        if most < 0:
            kept.append("…")
            break
        kept.append(line)
    return kept
