import inspect
import logging
import random
import signal
import sys
import threading
import time
import warnings

import pytest
import torch
from torch import nn

from course_lib.checks.data import Opaque, Raised
from course_lib.checks.refused import group
from course_lib.checks.run import Call, InProcessRunner, cell_source, code_file
from course_lib.checks.verdict import Outcome


def run(implementation, scenario=lambda f: f(), *, seconds=20.0, refused=(), seed=0):
    return InProcessRunner(seconds).run(
        scenario, implementation, name="softmax", seed=seed, refused=[group(key) for key in refused]
    )


def fail(error):
    def failing(*args):
        raise error

    return failing


# ----------------------------------------------------------------------------------------------- what is observed


def test_what_the_scenario_returns_is_observed_as_data():
    seen = run(lambda a: (a + 1, {"n": 2}), lambda f: f(torch.zeros(2)))
    assert seen.stopped is None
    assert seen.data[0].tolist() == [1, 1]
    assert seen.data[1] == {"n": 2}


def test_a_call_is_kept_as_text_with_its_arguments_as_they_were():
    def spoil(tensor, **options):
        return tensor.add_(1)

    seen = run(spoil, lambda f: f(torch.zeros(2), p=0.5, generator=torch.Generator(), model=nn.ReLU(), g=print))
    assert seen.calls == (
        Call(
            "softmax(tensor([0.0, 0.0]), p=0.5, generator=torch.Generator(), model=ReLU(…), "
            "g=a builtin_function_or_method)",
            "a float32 tensor of shape [2]",
        ),
    )


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (None, "None"),
        ((1, 2), "a sequence of 2 items"),
        (object(), "an object"),
        ({"W": 1}, "a dict with the keys 'W'"),
    ],
)
def test_what_a_call_returned_is_kept_by_its_form(result, text):
    assert run(lambda: result).calls[0].returned == text


def test_a_function_argument_is_shown_by_its_name():
    assert run(lambda f, g: 1, lambda f: [f(fail, lambda x: x)]).calls[0].text == "softmax(fail, f)"


def test_only_the_first_calls_are_kept_and_all_are_made():
    seen = run(lambda n: n, lambda f: sum(f(1) for _ in range(200)))
    assert seen.data == 200
    assert len(seen.calls) == 12


def test_a_call_that_fails_is_kept_however_late_it_comes():
    def fails_at_100(n):
        if n == 100:
            raise ValueError("no")

    seen = run(fails_at_100, lambda f: [f(n) for n in range(200)])
    assert seen.calls[-1].text.endswith("(100)")


def test_the_implementation_keeps_its_name_and_signature():
    def softmax(z, axis=-1):
        """Say."""

    seen = run(softmax, lambda f: [f.__name__, str(inspect.signature(f))])
    assert seen.data == ["softmax", "(z, axis=-1)"]


@pytest.mark.parametrize("transform", [torch.vmap, torch.func.jacrev, torch.func.jacfwd])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_scenario_may_transform_the_implementation(transform):
    seen = run(lambda a: 2 * a, lambda f: transform(f)(torch.ones(3)))
    assert seen.stopped is None, seen.data


# ----------------------------------------------------------------------------------------------------- exceptions


def test_an_exception_is_observed_with_its_place():
    def softmax():
        raise ValueError("axis missing")

    seen = run(softmax)
    assert (seen.stopped, seen.data.kind, seen.data.message) == (Outcome.RAISED, "ValueError", "axis missing")
    line = softmax.__code__.co_firstlineno + 1
    assert seen.place == f'line {line} of your cell: raise ValueError("axis missing")'


@pytest.mark.parametrize(
    "error", [SystemExit(0), GeneratorExit(), MemoryError(), BaseException("all"), RecursionError(), StopIteration(1)]
)
def test_every_exception_is_an_observation(error):
    assert run(fail(error)).stopped is Outcome.RAISED


def test_endless_recursion_is_an_exception():
    def softmax():
        return softmax()

    assert run(softmax).data.kind == "RecursionError"


def test_an_interrupt_stops_the_cell():
    before = signal.getsignal(signal.SIGALRM), sys.stdout
    with pytest.raises(KeyboardInterrupt):
        run(fail(KeyboardInterrupt()), refused=["softmax", "optim"])
    assert (signal.getsignal(signal.SIGALRM), sys.stdout) == before
    assert signal.getitimer(signal.ITIMER_REAL)[1] == 0.0
    assert not torch._C._autograd._profiler_enabled()


def test_an_object_that_refuses_every_question_is_run_all_the_same():
    class Refusing:
        def __getattr__(self, name):
            raise RuntimeError(name)

        def __call__(self):
            return 1

    assert run(Refusing()).data == 1


def test_an_object_that_answers_every_question_with_itself_is_run_all_the_same():
    class Agreeing:
        def __getattr__(self, name):
            return self

        def __call__(self):
            return 1

    assert run(Agreeing()).data == 1


def test_a_hostile_result_is_an_observation():
    liar = type("Liar", (), {"__class__": property(lambda self: torch.Tensor)})
    seen = run(lambda: liar())
    assert seen.data == Opaque("a Liar")
    assert seen.stopped is None


# ---------------------------------------------------------------------------------------------------------- time


def endless():
    while True:
        pass


def retries():
    while True:
        try:
            time.sleep(5)
        except:  # noqa: E722
            continue


def retries_quickly():
    while True:
        try:
            sum(range(100))
        except BaseException:
            continue


def retries_in_layers():
    while True:
        try:
            try:
                time.sleep(5)
            except BaseException:
                time.sleep(5)
            finally:
                len("")
        except BaseException as error:
            print(error)


def computes():
    while True:
        torch.randn(50, 50) @ torch.randn(50, 50)


class NeverSaysWhat(Exception):
    def __str__(self):
        endless()


@pytest.mark.timeout(60, method="thread")  # a signal is what the code under test takes for itself
@pytest.mark.parametrize(
    "implementation", [endless, retries, retries_quickly, retries_in_layers, computes, fail(NeverSaysWhat())]
)
def test_what_never_ends_is_cut(implementation):
    began = time.monotonic()
    seen = run(implementation, seconds=0.1)
    assert time.monotonic() - began < 8
    assert seen.stopped is Outcome.TIMED_OUT
    assert seen.data == Raised(("TimeoutError",), "0.1 s")


def test_after_one_time_out_the_others_get_a_fifth():
    runner = InProcessRunner(0.5)
    messages = [
        runner.run(lambda f: f(), endless, name="f", seed=0).data.message,
        runner.run(lambda f: f(), endless, name="f", seed=0).data.message,
    ]
    assert messages == ["0.5 s", "0.1 s"]
    assert runner.run(lambda f: f(), lambda: 1, name="f", seed=0).data == 1


def test_no_alarm_rings_after_the_run():
    run(endless, seconds=0.05)
    run(lambda: 1, seconds=0.05)
    time.sleep(0.1)


def test_somebody_elses_alarm_is_put_back():
    rang = []
    before = signal.signal(signal.SIGALRM, lambda *args: rang.append(1))
    timer = signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        run(endless, seconds=0.05)
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 0.3
        run(lambda: time.sleep(0.01), seconds=5)
        time.sleep(0.4)
        assert rang == [1]
    finally:
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, *timer)


def test_outside_the_main_thread_it_runs_without_a_limit():
    came = []
    thread = threading.Thread(target=lambda: came.append(run(lambda: 7).data))
    thread.start()
    thread.join()
    assert came == [7]


# ------------------------------------------------------------------------------------------------------- streams


def talkative():
    print("to stdout")
    print("to stderr", file=sys.stderr)
    warnings.warn("careful", stacklevel=1)
    logging.warning("logged")
    logging.getLogger("student.module").error("logged deep")
    sys.stdout.write("written\n")
    return 1


@pytest.mark.parametrize("configured", [False, True])
def test_what_a_student_prints_is_kept_and_goes_to_no_stream(capfd, configured):
    handler = logging.StreamHandler(sys.stderr)
    if configured:
        logging.getLogger().addHandler(handler)  # as logging.basicConfig() in a student's cell
    try:
        seen = run(talkative)
    finally:
        logging.getLogger().removeHandler(handler)
    assert handler.stream is sys.stderr
    assert capfd.readouterr() == ("", "")
    for text in ("to stdout", "to stderr", "UserWarning: careful", "written"):
        assert text in seen.printed
    assert ("logged\nlogged deep" in seen.printed) is configured  # pytest's own handlers take it otherwise
    assert seen.data == 1


def test_warnings_work_as_before_afterwards():
    before = warnings.showwarning, list(warnings.filters)
    run(talkative)
    assert (warnings.showwarning, list(warnings.filters)) == before


def test_only_the_beginning_of_much_is_kept():
    seen = run(lambda: print("x" * 1_000_000))
    assert seen.printed.startswith("xxx")
    assert len(seen.printed) < 2100
    assert seen.printed.endswith("more characters")


def test_an_endless_printer_fills_no_memory():
    def prints():
        while True:
            print("x" * 10_000)

    seen = run(prints, seconds=0.2)
    assert seen.stopped is Outcome.TIMED_OUT
    assert seen.printed.endswith("and 98000 more characters")


def test_a_student_may_close_or_replace_the_streams():
    def closes():
        sys.stdout.close()
        sys.stderr.close()
        sys.stdout = None

    before = sys.stdout, sys.stderr
    assert run(closes).stopped is None
    assert (sys.stdout, sys.stderr) == before
    assert not sys.stdout.closed


def test_what_is_printed_can_be_written_to_a_file():
    seen = run(lambda: print("a\x00b\ud800c"))
    assert seen.printed.encode() == b"ab?c\n"


# --------------------------------------------------------------------------------------------------------- state


def test_student_and_reference_draw_the_same_numbers():
    draws = [run(lambda: [torch.rand(3), random.random(), torch.randn(2)], seed=5).data for _ in range(2)]
    assert torch.equal(draws[0][0], draws[1][0])
    assert draws[0][1] == draws[1][1]
    assert torch.equal(draws[0][2], draws[1][2])
    other = run(lambda: [torch.rand(3), random.random()], seed=6).data
    assert not torch.equal(draws[0][0], other[0])
    assert draws[0][1] != other[1]


def test_the_seed_is_the_same_whatever_ran_before():
    def wasteful():
        torch.rand(100)
        random.random()

    first = run(lambda: torch.rand(2), seed=1).data
    run(wasteful, seed=1)
    assert torch.equal(run(lambda: torch.rand(2), seed=1).data, first)


def reseeds():
    torch.manual_seed(1)
    random.seed(1)
    torch.set_default_dtype(torch.float64)
    torch.set_grad_enabled(False)
    return [torch.zeros(1), torch.is_grad_enabled()]


@pytest.mark.parametrize("implementation", [reseeds, lambda: [reseeds(), fail(ValueError())()]])
def test_random_state_and_switches_are_put_back(implementation):
    # Of its own: the state that an earlier test left may be the very one that the student sets.
    torch.manual_seed(12345)
    random.seed(12345)
    state, python_state = torch.get_rng_state(), random.getstate()
    run(implementation)
    assert torch.equal(torch.get_rng_state(), state)
    assert random.getstate() == python_state
    assert torch.get_default_dtype() == torch.float32
    assert torch.is_grad_enabled()


def test_a_run_starts_with_torchs_defaults_and_leaves_the_cells():
    torch.set_default_dtype(torch.float64)
    torch.set_grad_enabled(False)
    try:
        seen = run(lambda: [torch.zeros(1), torch.is_grad_enabled()])
        assert torch.get_default_dtype() == torch.float64
        assert not torch.is_grad_enabled()
    finally:
        torch.set_default_dtype(torch.float32)
        torch.set_grad_enabled(True)
    assert seen.data[0].dtype == torch.float32
    assert seen.data[1] is True


# -------------------------------------------------------------------------------------------------- where it is from


class Callable:
    def __call__(self):
        return 1

    def method(self):
        return 1

    @staticmethod
    def static():
        return 1


@pytest.mark.parametrize("implementation", [endless, Callable, Callable().method, Callable.static])
def test_a_cells_text_is_found_from_what_it_defines(implementation):
    assert code_file(implementation) == __file__
    assert "the text of this very file" in cell_source(implementation)


def test_a_decorated_function_is_that_of_the_cell():
    assert code_file(torch.no_grad()(endless)) == __file__


@pytest.mark.parametrize("implementation", [torch.softmax, len, nn.ReLU(), type("Empty", (), {}), 3])
def test_what_no_cell_defines_has_no_text(implementation):
    assert cell_source(implementation) == ""


def test_a_function_wrapped_in_a_circle_ends():
    def softmax():
        pass

    softmax.__wrapped__ = softmax
    assert code_file(softmax) == __file__
