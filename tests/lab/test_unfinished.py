import pytest

from course_lib import lab


def said(capsys, error, *names):
    with lab.uses(*(names or ("softmax",))):
        raise error
    out, err = capsys.readouterr()
    assert err == ""
    return out


def test_a_cell_that_works_says_nothing(capsys):
    with lab.uses("softmax"):
        result = 1
    assert result == 1
    assert capsys.readouterr().out == ""


AGAIN = "Make the tests above pass first, then run this cell again.\n"


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            NotImplementedError(),
            "This cell uses your softmax, which is not written yet.\nFinish that exercise above, then run this cell "
            "again.\n",
        ),
        (
            NotImplementedError("\"normal\" not implemented for 'Long'"),
            "This cell uses your softmax, and stopped with NotImplementedError: "
            "\"normal\" not implemented for 'Long'.\n" + AGAIN,
        ),
        (
            NameError("name 'softmax' is not defined", name="softmax"),
            "This cell uses your softmax, but 'softmax' does not exist yet.\nRun the cell that defines it (it may have "
            "stopped with an error), then run this cell again.\n",
        ),
        (
            UnboundLocalError("cannot access local variable 'out'"),
            "This cell uses your softmax, and stopped with UnboundLocalError: cannot access local variable 'out'.\n"
            + AGAIN,
        ),
        (ValueError("bad\nsecond line"), f"This cell uses your softmax, and stopped with ValueError: bad.\n{AGAIN}"),
        (KeyError(), f"This cell uses your softmax, and stopped with KeyError: no message.\n{AGAIN}"),
    ],
)
def test_an_error_becomes_one_sentence(capsys, error, sentence):
    assert said(capsys, error) == sentence


@pytest.mark.parametrize(
    ("names", "listed"),
    [
        (("affine", "mlp_forward"), "your affine and mlp_forward, which are not written yet.\nFinish those exercises"),
        (("a", "b", "c"), "your a, b and c, which are not written yet."),
    ],
)
def test_several_exercises_are_listed(capsys, names, listed):
    assert listed in said(capsys, NotImplementedError(), *names)


def test_a_name_that_the_cell_itself_misses_is_named(capsys):
    with lab.uses("softmax"):
        softmax(1)  # noqa: F821
    assert "but 'softmax' does not exist yet" in capsys.readouterr().out


@pytest.mark.parametrize("stops", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_still_interrupts(stops):
    with pytest.raises(stops), lab.uses("softmax"):
        raise stops
