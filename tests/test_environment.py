"""environment.yml gives conda users what pyproject.toml gives pip users, no less, no more, no other version."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
# Where conda-forge has another name for PyPI's package.
CONDA_NAMES = {"torch": "pytorch-cpu", "bleach": "bleach-with-css"}
# What pip takes for granted, and conda installs as a package.
CONDA_ONLY = {"python", "pip"}
MATCH_SPEC = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\s*(?P<version>.*)")


def expected_packages(project: dict) -> dict[str, SpecifierSet]:
    """What a student and an instructor install, by conda name."""
    extras = project["optional-dependencies"]
    wanted = {}
    for text in [*project["dependencies"], *extras["notebook"], *extras["grader"]]:
        requirement = Requirement(text)
        name = canonicalize_name(requirement.name)
        wanted[CONDA_NAMES.get(name, name)] = requirement.specifier
    return wanted


def conda_packages(environment: dict) -> dict[str, SpecifierSet]:
    """The same from environment.yml; conda's `=1.2` and `=1.2.*` are read as PEP 440's `==1.2` and `==1.2.*`."""
    found = {}
    for spec in environment["dependencies"]:
        if isinstance(spec, str):
            match = MATCH_SPEC.fullmatch(spec.strip())
            assert match, f"unreadable: {spec!r}"
            found[match["name"]] = SpecifierSet(re.sub(r"^=(?!=)", "==", match["version"]))
    return found


def differences(project: dict, environment: dict) -> list[str]:
    """A line for everything in which the two files disagree; none when they are in step."""
    wanted, found = expected_packages(project), conda_packages(environment)
    missing = [f"environment.yml lacks {name}" for name in sorted(wanted.keys() - found.keys())]
    extra = [f"pyproject.toml lacks {name}" for name in sorted(found.keys() - wanted.keys() - CONDA_ONLY)]
    other = [
        f"{name}: pyproject.toml wants '{wanted[name]}', environment.yml '{found[name]}'"
        for name in sorted(wanted.keys() & found.keys())
        if wanted[name] != found[name]
    ]
    return missing + extra + other


@pytest.fixture
def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


@pytest.fixture
def environment() -> dict:
    return yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))


def test_environment_has_the_packages_of_pyproject_in_the_same_versions(project, environment):
    assert differences(project, environment) == []


def test_environment_has_a_python_that_pyproject_accepts(project, environment):
    (pin,) = conda_packages(environment)["python"]
    assert SpecifierSet(project["requires-python"]).contains(pin.version)


def test_environment_is_named_as_the_distribution(project, environment):
    assert environment["name"] == project["name"]


def test_pip_installs_the_course_and_nothing_else(environment):
    (pip,) = [spec["pip"] for spec in environment["dependencies"] if isinstance(spec, dict)]
    assert pip == ["-e ."]


def test_a_package_that_environment_lacks_is_found(project, environment):
    environment["dependencies"].remove("torchmetrics=1.9.0")
    assert differences(project, environment) == ["environment.yml lacks torchmetrics"]


def test_a_package_that_pyproject_lacks_is_found(project, environment):
    project["optional-dependencies"]["grader"] = [
        text for text in project["optional-dependencies"]["grader"] if not text.startswith("rich")
    ]
    assert differences(project, environment) == ["pyproject.toml lacks rich"]


@pytest.mark.parametrize("torch", ["torch==2.12.0", "torch>=2.13.0", "torch"])
def test_another_version_is_found(project, environment, torch):
    project["dependencies"] = [torch if text.startswith("torch==") else text for text in project["dependencies"]]
    (line,) = differences(project, environment)
    assert line.startswith("pytorch-cpu: pyproject.toml wants")
