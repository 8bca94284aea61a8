"""A real JupyterLab server on the loopback, in a folder of its own, that knows nothing of the user's settings."""

import json
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_STARTS_WITHIN, _STOPS_WITHIN = 90, 30  # seconds


def isolated_environment(home: Path) -> dict[str, str]:
    """This process's environment, for a Jupyter that reads no settings of the user's and imports this checkout."""
    folders = {
        "HOME": home,
        "JUPYTER_CONFIG_DIR": home / "config",
        "JUPYTER_DATA_DIR": home / "data",
        "JUPYTER_RUNTIME_DIR": home / "runtime",
        "JUPYTERLAB_SETTINGS_DIR": home / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": home / "workspaces",
        "IPYTHONDIR": home / "ipython",
    }
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "PYTEST", "COV_"))}
    return kept | {
        **{name: str(folder) for name, folder in folders.items()},
        # nbgrader calls `alembic` by its bare name.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])),
        # torch's threads wait for one another, and the browser works beside them: with two threads on two cores a cell
        # of small tensors takes up to ten times as long.
        "OMP_NUM_THREADS": "1",
        # Fonts that matplotlib has already found need not be found again.
        "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache")),
    }


@dataclass(frozen=True)
class Server:
    """A JupyterLab that answers.

    Attributes:
        url: where, with a slash at the end.
        token: what opens it.
        folder: what it serves.
        log: the file that it writes its log to.
    """

    url: str
    token: str
    folder: Path
    log: Path

    def page(self, path: str) -> str:
        """The address of a page, with the token."""
        return f"{self.url}{path}?token={self.token}"

    def ask(self, path: str, method: str = "GET") -> Any:
        """Ask its REST interface, and return the JSON that it answers, if any."""
        request = urllib.request.Request(
            f"{self.url}{path}", method=method, headers={"Authorization": f"token {self.token}"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def end_kernels(self) -> None:
        """End every kernel, so that the next test has the machine for itself."""
        for session in self.ask("api/sessions"):
            self.ask(f"api/sessions/{session['id']}", "DELETE")


@contextmanager
def jupyterlab(folder: Path, home: Path, settings: Mapping[str, Mapping[str, Any]] | None = None) -> Iterator[Server]:
    """Serve a folder as `jupyter lab` started in it does, and end the server with its kernels afterwards.

    Args:
        folder: what to serve; also the working folder, so nbgrader reads an nbgrader_config.py there.
        home: a folder for everything that Jupyter keeps for a user.
        settings: JupyterLab's settings that differ from its defaults, by plug-in (``"@jupyterlab/…-extension:…"``).
    """
    environment = isolated_environment(home)
    defaults = home / "config" / "labconfig" / "default_setting_overrides.json"
    defaults.parent.mkdir(parents=True, exist_ok=True)
    quiet = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}}
    defaults.write_text(json.dumps(quiet | dict(settings or {})), encoding="utf-8")
    token, log = secrets.token_hex(16), home / "server.log"
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser"),
        *(["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
        "--ServerApp.ip=127.0.0.1",
        "--ServerApp.port=0",  # a free one, chosen by the system
        f"--ServerApp.root_dir={folder}",
        f"--IdentityProvider.token={token}",
        "--LabApp.extension_manager=readonly",  # the other one asks the network
    ]
    with log.open("wb") as sink:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a process group of its own, to end it as a whole
        )
    try:
        url = _address(process, home / "runtime" / f"jpserver-{process.pid}.json", log)
        server = Server(url, token, folder, log)
        _wait_until_it_answers(server, process)
        yield server
    finally:
        _end(process)


def _address(process: subprocess.Popen[bytes], info: Path, log: Path) -> str:
    """The URL that the server wrote down for `jupyter server list`."""
    deadline = time.monotonic() + _STARTS_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        try:
            return str(json.loads(info.read_text(encoding="utf-8"))["url"])
        except (FileNotFoundError, json.JSONDecodeError):
            time.sleep(0.05)
    raise AssertionError(f"JupyterLab did not start within {_STARTS_WITHIN} s. Its log:\n{tail(log)}")


def _wait_until_it_answers(server: Server, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _STARTS_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        try:
            server.ask("api/status")
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"JupyterLab did not answer at {server.url}. Its log:\n{tail(server.log)}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the server to go, which ends its kernels; then end what is left of its process group."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def tail(log: Path, lines: int = 40) -> str:
    """The end of a log file."""
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
