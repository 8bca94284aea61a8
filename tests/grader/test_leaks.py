"""A planted leak of every kind, in every place of a notebook where text can be, is found and named."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from course_lib.grader.releasing.leaks import find_leaks
from course_lib.grader.releasing.release import make_release

from .conftest import ASSIGNMENT, make_course

SOLUTION = "twice_as_much = x + x"
HIDDEN = "score += 1.0 * (double(-3.5) == -7.0)"
SECRETS = {
    "solution": SOLUTION,
    "hidden test": HIDDEN,
    "written model answer": "Because a sum of doubles is the double of the sum.",
    "name of a misconception": "squares instead of doubling",
    "hint": "Try it at three: what comes out, and what should?",
    "source of a misconception": "squared_by_mistake = x * x",
    "name of an alternative": "a product with two",
    "source of an alternative": "running_mean += (value - running_mean) / seen",
    "marker": "### BEGIN HIDDEN TESTS",
}


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = make_course(tmp_path_factory.mktemp("leaks") / "course")
    make_release(root)
    return root


@pytest.fixture
def plant(released: Path) -> Any:
    """Change the released notebook for one test: `plant(lambda nb: ...)` returns the leaks that are found then."""
    path = released / "release" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    good = path.read_bytes()

    def planted(change: Callable[[dict[str, Any]], object]) -> list[str]:
        nb = json.loads(good)
        change(nb)
        path.write_text(json.dumps(nb, indent=1))
        return [str(leak) for leak in find_leaks(released)]

    yield planted
    path.write_bytes(good)


def test_an_honest_release_has_no_leaks(released: Path) -> None:
    assert find_leaks(released) == []


@pytest.mark.parametrize("kind", SECRETS)
def test_every_kind_of_secret_is_found(plant: Any, kind: str) -> None:
    found = plant(lambda nb: nb["cells"][1]["source"].append("\n" + SECRETS[kind]))
    assert len(found) >= 1
    assert all("cell title, source" in leak for leak in found)


PLACES: dict[str, Callable[[dict[str, Any]], object]] = {
    "source": lambda nb: nb["cells"][7].update(source=f"if True:\n    {SOLUTION}"),
    "other spacing": lambda nb: nb["cells"][7].update(source="twice_as_much=x +   x"),
    "over two lines": lambda nb: nb["cells"][7].update(source=["twice_as_much = \\\n".replace("\\", ""), "x + x"]),
    "metadata": lambda nb: nb["cells"][2]["metadata"].update(old={"deep": [1, {"source": SOLUTION}]}),
    "a key": lambda nb: nb["cells"][2]["metadata"].update({SOLUTION: 1}),
    "notebook": lambda nb: nb["metadata"].update(backup=SOLUTION),
    "outputs": lambda nb: nb["cells"][2].update(outputs=[{"output_type": "stream", "text": [SOLUTION]}]),
    "attachments": lambda nb: nb["cells"][1].update(attachments={"a.txt": {"text/plain": SOLUTION}}),
    "base64": lambda nb: nb["cells"][1].update(
        attachments={"a.png": {"image/png": base64.b64encode(b"\x89PNG" + SOLUTION.encode()).decode()}}
    ),
    "data url": lambda nb: nb["cells"][1].update(
        source=f"![](data:image/png;base64,{base64.b64encode(SOLUTION.encode()).decode()}"
    ),
    "id": lambda nb: nb["cells"][1].update(id="twice_as_much=x+x"),
}


@pytest.mark.parametrize("place", PLACES)
def test_every_place_of_a_notebook_is_searched(plant: Any, place: str) -> None:
    found = plant(PLACES[place])
    assert any("solution: twice_as_much = x + x (from source/01_numbers, cell double)" in leak for leak in found), found


def test_outputs_and_execution_counts_are_leaks_of_their_own(plant: Any) -> None:
    found = plant(lambda nb: nb["cells"][0].update(execution_count=3, outputs=[{"output_type": "stream", "text": "1"}]))
    where = f"release/{ASSIGNMENT}/{ASSIGNMENT}.ipynb, cell imports: output: "
    assert found == [where + "the cell carries outputs of a run", where + "the cell was run: execution count 3"]


def test_a_key_that_comes_twice_hides_nothing(released: Path) -> None:
    path = released / "release" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    good = path.read_text()
    try:
        path.write_text(good.replace('"metadata": {', f'"metadata": {json.dumps(SOLUTION)}, "metadata": {{', 1))
        assert [leak.where for leak in find_leaks(released)] == ["the file's bytes"]
    finally:
        path.write_text(good)


@pytest.mark.parametrize("name", [f"{ASSIGNMENT}/{ASSIGNMENT}.py", "notes.txt", f".{ASSIGNMENT}.old/x.ipynb"])
def test_files_that_do_not_belong_there_are_leaks_and_are_searched(released: Path, name: str) -> None:
    path = released / "release" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"# {HIDDEN}\n")
    try:
        kinds = [leak.kind for leak in find_leaks(released)]
        assert kinds == ["extra file", "hidden test"]
    finally:
        path.unlink()


def test_a_readme_is_welcome(released: Path) -> None:
    path = released / "release" / "README.md"
    path.write_text("Generated by `course release`.\n")
    try:
        assert find_leaks(released) == []
    finally:
        path.unlink()
