"""requirements.lock pins what pyproject.toml asks for, and says nothing that is true of one machine only."""

import re
import sys
import tomllib
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
PINNED = re.compile(r"(?P<name>[a-z0-9][a-z0-9-]*)==(?P<version>[^\s;]+)")
# torch's CUDA build, which is the only one on plain PyPI, asks for these by itself; the CPU build has no use for them.
CUDA = re.compile(r"nvidia-|cuda-|triton")


def lines_of(lock: str) -> list[str]:
    """The lock's lines without comments."""
    return [line for line in (re.sub(r"(^|\s)#.*", "", raw).rstrip() for raw in lock.splitlines()) if line]


def pins_of(lock: str) -> dict[str, Version]:
    """Name and version of every line that is a plain pin; `faults` reports the others."""
    return {match["name"]: Version(match["version"]) for line in lines_of(lock) if (match := PINNED.fullmatch(line))}


def direct_requirements(pyproject: dict) -> list[Requirement]:
    """What pyproject.toml names itself: dependencies, the extras that `make setup` installs, the build backend."""
    project = pyproject["project"]
    extras = project["optional-dependencies"]
    texts = [*project["dependencies"], *extras["notebook"], *extras["grader"], *extras["dev"]]
    return [Requirement(text) for text in [*texts, *pyproject["build-system"]["requires"]]]


def faults(lock: str, requirements: Iterable[Requirement]) -> list[str]:
    """A line for everything that is wrong with the lock; none when it is right."""
    found = []
    for line in lines_of(lock):
        match = PINNED.fullmatch(line)
        if not match:
            found.append(f"not a plain pin: {line}")
        elif CUDA.match(match["name"]):
            found.append(f"a package of the CUDA build: {match['name']}")
        elif Version(match["version"]).local:
            found.append(f"a build of one index: {line}")
    pins = pins_of(lock)
    if len(pins) < sum(bool(PINNED.fullmatch(line)) for line in lines_of(lock)):
        found.append("a package is pinned twice")
    for requirement in requirements:
        version = pins.get(canonicalize_name(requirement.name))
        if version is None:
            found.append(f"not pinned: {requirement}")
        elif not requirement.specifier.contains(version, prereleases=True):
            found.append(f"{requirement} is pinned as {version}")
    return found


def needed_by(requirements: Iterable[Requirement]) -> set[str]:
    """Names of all packages that the requirements bring with them on this machine, as the installed packages say."""
    seen: set[tuple[str, str]] = set()
    waiting = [(canonicalize_name(r.name), extra) for r in requirements for extra in ("", *r.extras)]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        for text in metadata.requires(name) or []:
            requirement = Requirement(text)
            child = canonicalize_name(requirement.name)
            if CUDA.match(child) or (requirement.marker and not requirement.marker.evaluate({"extra": extra})):
                continue
            waiting += [(child, wanted) for wanted in ("", *requirement.extras)]
    return {name for name, _ in seen}


@pytest.fixture(scope="module")
def lock() -> str:
    return (ROOT / "requirements.lock").read_text("utf-8")


@pytest.fixture(scope="module")
def requirements() -> list[Requirement]:
    return direct_requirements(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8")))


def test_lock_pins_what_pyproject_asks_for(lock, requirements):
    assert faults(lock, requirements) == []


def test_lock_has_the_torch_of_every_index(lock):
    assert "torch==2.13.0" in lines_of(lock)


def test_lock_names_no_place(lock):
    """Comments included: an index's address or a machine's path is of no use to anybody else."""
    assert not re.search(r"://|file:/|--|(^|\s)/|@", lock)


def test_lock_is_closed(lock, requirements):
    """Nothing that the packages need is missing, and nothing is left over from a dependency that is gone."""
    if sys.version_info[:2] != (3, 11) or sys.platform != "linux":
        pytest.skip("the lock is made for Python 3.11 on Linux; elsewhere packages need a few more or a few less")
    pins = pins_of(lock)
    installed: dict[str, str] = {}
    for d in metadata.distributions():
        # The first one counts, as it does for an import: setuptools brings old copies of some at the end of the path.
        installed.setdefault(canonicalize_name(d.metadata["Name"]), Version(d.version).public)
    if different := sorted(name for name, pin in pins.items() if installed.get(name) != str(pin)):
        pytest.skip(f"this environment was not installed from requirements.lock: {', '.join(different[:5])} differ")
    assert set(pins) == needed_by(requirements)


@pytest.mark.parametrize(
    ("good", "bad", "fault"),
    [
        (r"^torch==.*$", "torch==2.13.0+cpu", "a build of one index: torch==2.13.0+cpu"),
        (r"^torch==.*$", "torch==2.12.0", "torch==2.13.0 is pinned as 2.12.0"),
        (r"^torch==.*$", "torch>=2.13.0", "not a plain pin: torch>=2.13.0"),
        (r"^torch==.*$", "torch @ file:///wheels/torch.whl", "not a plain pin: torch @ file:///wheels/torch.whl"),
        (r"^torchmetrics==.*$", "", "not pinned: torchmetrics==1.9.0"),
        (r"^setuptools==.*$", "", "not pinned: setuptools>=77"),
        (r"\A", "--find-links /wheels\n", "not a plain pin: --find-links /wheels"),
        (r"\A", "-e .\n", "not a plain pin: -e ."),
        (r"\A", "nvidia-cublas==13.0\n", "a package of the CUDA build: nvidia-cublas"),
        (r"\A", "torch==2.13.0\n", "a package is pinned twice"),
    ],
)
def test_a_bad_lock_is_found(lock, requirements, good, bad, fault):
    changed = re.sub(good, bad, lock, count=1, flags=re.MULTILINE)
    assert fault in faults(changed, requirements)
