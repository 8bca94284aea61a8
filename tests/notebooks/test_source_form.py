"""What every source notebook is like: readable diffs, matching metadata, the contracts' names, nothing that leaks."""

import ast
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from course_lib.grader.bench import Bench

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "source").glob("*/*.ipynb"))

CONTRACTS = {
    "02_backprop": {
        "affine": "x, W, b",
        "affine_backward": "grad_out, x, W",
        "sigmoid_backward": "grad_out, out",
        "tanh_backward": "grad_out, out",
        "relu_backward": "grad_out, z",
        "mlp_forward": "x, W1, b1, W2, b2",
        "mlp_backward": "grad_out, cache",
        "Scalar": "value",
        "lstm_cell": "x, h, c, W_i, W_f, W_o, W_c",
        "lstm_forget_gate_backward": "grad_h, x, h, c, W_i, W_f, W_o, W_c",
    },
    "05_loss_derivatives": {
        "mse_grad": "pred, target, reduction='mean'",
        "softmax": "z",
        "softmax_jacobian": "z",
        "softmax_ce_grad": "z, gold, reduction='mean'",
        "softmax_ce_full_grad": "z, target, reduction='mean'",
        "sigmoid_bce_grad": "z, target, reduction='mean'",
    },
    "08_weight_decay": {
        "l2_regularized_loss": "loss, parameters, lam",
        "sgd_l2_step": "param, grad, *, lr, lam",
        "adam_l2_step": "param, grad, state, *, lr=0.001, betas=(0.9, 0.999), eps=1e-08, lam=0.0",
        "adamw_step": "param, grad, state, *, lr=0.001, betas=(0.9, 0.999), eps=1e-08, weight_decay=0.01",
        "AdamW": "params, lr=0.001, betas=(0.9, 0.999), eps=1e-08, weight_decay=0.01",
        "decay_groups": "model, weight_decay",
        "l1_step": "param, grad, *, lr, lam",
        "map_l2_strength": "prior_std, num_examples",
    },
    "09_dropout": {
        "classic_dropout": "x, p, training, generator=None",
        "dropout": "x, p=0.5, training=True, generator=None",
        "dropout_backward": "grad_out, kept, p",
        "Dropout": "p=0.5",
        "expected_output": "f, x, p, samples, generator=None",
        "mc_dropout": "model, x, samples",
    },
    "13_gradient_clipping": {
        "clip_by_value": "grads, limit",
        "global_norm": "grads",
        "clip_by_norm": "grads, max_norm",
        "clip_grad_norm_": "parameters, max_norm, error_if_nonfinite=False",
        "unrolled_gradient": "w, h0, steps",
        "clipped_descent": "grad_fn, start, lr, steps, max_norm",
    },
    "14_metrics": {
        "Mean": "",
        "MeanSquaredError": "",
        "BinaryAccuracy": "threshold=0.5",
        "BinaryAccuracyFromLogits": "threshold=0.5",
        "MulticlassAccuracy": "num_classes, ignore_index=None",
        "MultilabelAccuracy": "num_labels, threshold=0.5, ignore_index=None",
        "F1Score": "num_classes, average='macro'",
        "Perplexity": "ignore_index=None",
    },
}
MANUAL = {
    "02_backprop": ["derive_mlp_gradient"],
    "05_loss_derivatives": ["derive_softmax_ce"],
    "08_weight_decay": ["why_adamw_differs"],
    "09_dropout": ["dropout_as_ensemble"],
    "13_gradient_clipping": ["why_clip_by_norm"],
    "14_metrics": ["loss_or_metric"],
}
MAY_IMPORT = {"math", "torch", "torchmetrics", "matplotlib", "course_lib"}


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=nbformat.NO_CONVERT)


def graded(notebook: Any) -> dict[str, Any]:
    return {c.metadata.nbgrader.grade_id: c for c in notebook.cells if "nbgrader" in c.metadata}


def signature(source: str, name: str) -> str:
    """The parameters of a function, or of a class's __init__, without annotations."""
    (node,) = [n for n in ast.parse(source).body if getattr(n, "name", None) == name]
    if isinstance(node, ast.ClassDef):
        (node,) = [n for n in node.body if isinstance(n, ast.FunctionDef) and n.name == "__init__"]
    assert isinstance(node, ast.FunctionDef)
    for argument in [*node.args.args, *node.args.kwonlyargs]:
        argument.annotation = None
    return re.sub(r"^self(, )?", "", ast.unparse(node.args))


by_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=[p.stem for p in NOTEBOOKS])


@by_notebook
def test_the_file_is_valid_and_of_the_current_format(path: Path) -> None:
    notebook = read(path)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)


@by_notebook
def test_the_diff_will_be_readable(path: Path) -> None:
    for cell in read(path).cells:
        assert re.fullmatch(r"[a-z][A-Za-z0-9_-]{2,63}|[A-Z][A-Za-z0-9_]{2,63}", cell.id), cell.id
        assert not re.fullmatch(r"[0-9a-f]{8,}", cell.id), f"{cell.id} is a random id"
        assert "attachments" not in cell
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None
    text = path.read_text(encoding="utf-8")
    assert text.endswith("}\n")
    assert text == nbformat.writes(read(path)) + "\n"


@by_notebook
def test_the_folder_holds_nothing_that_nbgrader_would_hand_out(path: Path) -> None:
    assert path.stem == path.parent.name
    assert [p.name for p in path.parent.iterdir() if p.name != ".ipynb_checkpoints"] == [path.name]


@by_notebook
def test_every_exercise_of_the_contract_has_its_two_cells(path: Path) -> None:
    cells = graded(read(path))
    contract = CONTRACTS[path.stem]
    assert [name.removeprefix("test_") for name in cells if name.startswith("test_")] == list(contract)
    order = list(cells)
    for name in contract:
        assert order.index(f"test_{name}") == order.index(name) + 1
        solution, test = cells[name].metadata.nbgrader, cells[f"test_{name}"].metadata.nbgrader
        assert (solution.solution, solution.grade, solution.locked) == (True, False, False)
        assert (test.solution, test.grade, test.locked) == (False, True, True)
        assert cells[name].id == name


@by_notebook
def test_a_solution_cell_defines_the_contract_and_nothing_else(path: Path) -> None:
    cells = graded(read(path))
    for name, parameters in CONTRACTS[path.stem].items():
        source = cells[name].source
        assert [getattr(n, "name", ast.unparse(n)) for n in ast.parse(source).body] == [name]
        assert signature(source, name) == parameters
        assert source.count("### BEGIN SOLUTION") == source.count("### END SOLUTION") >= 1
        documented = ast.get_docstring(ast.parse(source).body[0])  # type: ignore[arg-type]
        assert documented
        assert "Args:" in source


@by_notebook
def test_the_points_of_a_test_cell_are_those_of_its_exercise(path: Path) -> None:
    bench = Bench(path)
    for name in bench.exercises:
        assert bench.run(name, bench.stub(name)).points == bench.points(name)


@by_notebook
def test_a_test_cell_hides_some_tests_and_ends_in_its_score(path: Path) -> None:
    for name, cell in graded(read(path)).items():
        if name.startswith("test_"):
            assert cell.source.count("### BEGIN HIDDEN TESTS") == cell.source.count("### END HIDDEN TESTS") == 1
            last = cell.source.strip().splitlines()[-1]
            assert re.fullmatch(r"\w+\.score\(\)", last), last


@by_notebook
def test_written_questions_have_points_and_a_rubric(path: Path) -> None:
    cells = graded(read(path))
    for name in MANUAL[path.stem]:
        cell = cells[name]
        assert cell.cell_type == "markdown"
        assert cell.metadata.nbgrader.grade
        assert cell.metadata.nbgrader.solution
        assert cell.metadata.nbgrader.points > 0
        answer = cell.source.split("### BEGIN SOLUTION")[1].split("### END SOLUTION")[0]
        assert "rubric" in answer.lower()


@by_notebook
def test_a_notebook_imports_what_a_student_has(path: Path) -> None:
    for cell in read(path).cells:
        if cell.cell_type != "code":
            continue
        for node in ast.walk(ast.parse(cell.source)):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            assert {name.split(".")[0] for name in names} <= MAY_IMPORT


@by_notebook
def test_both_lectures_are_credited(path: Path) -> None:
    text = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    assert "Milan Straka" in text
    assert "Rocktäschel" in text
    assert "Riedel" in text


@by_notebook
def test_every_exercise_has_hints_difficulty_and_minutes(path: Path) -> None:
    text = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    exercises = len(CONTRACTS[path.stem])
    assert len(re.findall(r"[●○]{3}", text)) >= exercises
    assert text.count("<details>") == text.count("</details>") >= 2 * exercises
    assert text.count("<summary>") == text.count("</summary>") == text.count("<details>")
    assert len(re.findall(r"\d+\s*min", text)) >= exercises


@by_notebook
def test_every_figure_has_a_text_alternative(path: Path) -> None:
    shown = [c.source for c in read(path).cells if c.cell_type == "code" and "lab.figure" in c.source]
    assert len(shown) >= 3
    for source in shown:
        assert source.count("lab.show(") >= 1
        assert source.count("lab.show(") == source.count("alt=")
        assert "plt.show" not in source
