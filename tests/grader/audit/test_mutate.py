"""Mutants: every kind of slip is made, each differs from the solution and from the others, and the contract stays."""

import ast

import pytest

from course_lib.grader.audit.mutate import mutants

SOLUTION = '''
def clip(x: Tensor, limit: float = 2.0, *, axis: int = -1) -> Tensor:
    """Cut at 2.0 - limit, says 1 + 1."""
    ### BEGIN SOLUTION
    if not 0 <= limit < 10:
        raise ValueError(f"limit is {limit + 1}")
    norm = torch.sqrt((x * x).sum(axis, keepdim=True))
    scale = limit / norm if norm > limit else 1
    total = -scale * x + 0 * x
    total += x[1:, :2]
    with torch.no_grad():
        total = torch.where(x > 0, total, x).clone()
    return total @ x.T, total
    ### END SOLUTION
'''


def changes(solution: str) -> list[str]:
    return [mutant.change for mutant in mutants(solution)]


@pytest.mark.parametrize(
    "change",
    [
        "2.0 → 4.0",
        "-1 → 1",
        "limit < 10 → limit <= 10",
        "0 <= limit < 10 → 0 < limit < 10",
        "0 <= limit < 10 → 0 <= limit",
        "0 <= limit < 10 → limit < 10",
        "not 0 <= limit < 10 → 0 <= limit < 10",
        "raise ValueError(f'limit is {limit + 1}') → pass",
        "torch.sqrt((x * x).sum(axis, keepdim=True)) → (x * x).sum(axis, keepdim=True)",
        "torch.sqrt((x * x).sum(axis, keepdim=True)) → torch.square((x * x).sum(axis, keepdim=True))",
        "(x * x).sum(axis, keepdim=True) → (x * x).mean(axis, keepdim=True)",
        "(x * x).sum(axis, keepdim=True) → (x * x).sum(axis)",
        "(x * x).sum(axis, keepdim=True) → (x * x).sum(keepdim=True)",
        "x * x → x / x",
        "x * x → x",
        "True → False",
        "limit / norm if norm > limit else 1 → limit / norm",
        "limit / norm if norm > limit else 1 → 1",
        "limit / norm → norm / limit",
        "norm > limit → norm >= limit",
        "-scale * x + 0 * x → -scale * x",
        "-scale → scale",
        "total += x[1:, :2] → total -= x[1:, :2]",
        "total += x[1:, :2] → total = x[1:, :2]",
        "total += x[1:, :2] → pass",
        "1: → :",
        "x[1:, :2] → x",
        "torch.where(x > 0, total, x) → torch.where(x > 0, x, total)",
        "torch.where(x > 0, total, x).clone() → torch.where(x > 0, total, x)",
        "total @ x.T → x.T @ total",
        "x.T → x",
        "(total @ x.T, total) → (total, total @ x.T)",
    ],
)
def test_slips_of_many_kinds_are_made(change: str) -> None:
    wanted = change
    if change == "limit < 10 → limit <= 10":  # shown with all of the comparison
        wanted = "0 <= limit < 10 → 0 <= limit <= 10"
    assert wanted in changes(SOLUTION)


def test_each_is_another_text_and_has_another_name() -> None:
    made = mutants(SOLUTION)
    assert len({mutant.text for mutant in made}) == len({mutant.change for mutant in made}) == len(made) > 50
    original = ast.unparse(ast.parse(SOLUTION))
    for mutant in made:
        assert mutant.text != original
        ast.parse(mutant.text)


def test_docstrings_annotations_and_messages_stay() -> None:
    for mutant in mutants(SOLUTION):
        assert "Cut at 2.0 - limit, says 1 + 1." in mutant.text
        assert "(x: Tensor, limit: float" in mutant.text
        assert ("limit is {limit + 1}" in mutant.text) or "raise" not in mutant.text


def test_the_same_change_in_two_places_has_two_names() -> None:
    assert {"2 → 3", "2 → 3 (2)"} <= set(changes("def f(x):\n    return x[2] + x[2]\n"))


def test_the_order_of_allowed_values_and_the_device_say_nothing() -> None:
    found = changes("def f(x, mode):\n    if mode in ('a', 'b'):\n        return torch.zeros(3, device=x.device)\n")
    assert not [change for change in found if "('b', 'a')" in change or change.endswith("→ torch.zeros(3)")]


def test_the_solution_itself_stays_as_it_was() -> None:
    assert mutants(SOLUTION) == mutants(SOLUTION)
