"""Starting lean: what is left out is not needed, and what is switched off is on again afterwards."""

import gc
import subprocess
import sys

import pytest

from course_lib.grader.lean import uncollected


def test_the_collector_rests_and_goes_on() -> None:
    frozen = gc.get_freeze_count()
    with uncollected():
        assert not gc.isenabled()
        kept = [[number] for number in range(1000)]
    assert gc.isenabled()
    assert gc.get_freeze_count() > frozen + len(kept)
    gc.unfreeze()


def test_the_collector_goes_on_after_an_import_that_fails() -> None:
    with pytest.raises(ImportError), uncollected():
        raise ImportError
    assert gc.isenabled()
    gc.unfreeze()


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        with uncollected():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
        gc.unfreeze()


def test_a_notebook_is_validated_without_the_grammar_of_addresses() -> None:
    code = (
        "import sys\nfrom course_lib.grader.lean import skip_unused_parsers\nskip_unused_parsers()\n"
        "import nbformat\nassert 'lark' not in sys.modules\n"
        "nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell('1')])\nnbformat.validate(nb)\n"
        "nb.cells[0].source = 1\n"
        "try:\n    nbformat.validate(nb)\nexcept nbformat.ValidationError:\n    print('refused')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout == "refused\n"
