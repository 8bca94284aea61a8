"""How many submissions a second: `course grade` and stock `nbgrader autograde`, side by side on the same class.

Stock nbgrader is as its authors configure it, in a folder of its own. The two take turns, so that a machine that is
faster at one time than at another favours neither; a rate is the median of these turns, start-up included.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from nbformat import NotebookNode
from nbgrader.api import Gradebook

from benchmarks.classes import ASSIGNMENT, KINDS, hand_in, kind_of, mixed_class, temporary_course, without_extras
from benchmarks.page import arguments, publish, table
from benchmarks.spent import Spent, run, script
from course_lib.grader.course import Course

TURNS = 3
_ROUNDING = 1e-6
_EXTRAS = "\nc.Examine.extras = True\n"

Work = Mapping[str, NotebookNode]
Scores = dict[tuple[str, str], tuple[float, float]]
"""(student, exercise) -> points, and the most there are."""


@dataclass
class Way:
    """One way of grading, and what it took.

    Attributes:
        name: as in the table.
        graded: submissions a turn.
        turns: what each turn took.
        scores: what came out.
    """

    name: str
    graded: list[int] = field(default_factory=list)
    turns: list[Spent] = field(default_factory=list)
    scores: Scores = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Submissions a second: the median of the turns."""
        return median(n / turn.seconds for n, turn in zip(self.graded, self.turns, strict=True))

    @property
    def processor(self) -> float:
        """Processor seconds a submission: the median of the turns."""
        return median(turn.processor / n for n, turn in zip(self.graded, self.turns, strict=True))

    def add(self, work: Work, turn: Spent, scores: Scores) -> None:
        """Note a turn."""
        self.graded.append(len(work))
        self.turns.append(turn)
        self.scores |= scores


def stock(way: Way, work: Work) -> None:
    """A turn of stock nbgrader."""
    with temporary_course(settings=None) as course:
        hand_in(course, work)
        run([script("nbgrader"), "generate_assignment", ASSIGNMENT, "--force"], course.root)
        way.add(work, run([script("nbgrader"), "autograde", ASSIGNMENT], course.root), scores_in(course))


def ours(way: Way, work: Work, settings: str = "") -> None:
    """A turn of ``course grade``, with all cores."""
    with temporary_course(settings) as course:
        hand_in(course, work)
        way.add(work, run([script("course"), "grade", ASSIGNMENT], course.root), scores_in(course))


def scores_in(course: Course) -> Scores:
    """The points of every exercise that a machine grades, from the gradebook."""
    found: Scores = {}
    with Gradebook(f"sqlite:///{course.root}/gradebook.db") as book:
        for submission in book.assignment_submissions(ASSIGNMENT):
            for grade in submission.notebooks[0].grades:
                if grade.cell.cell_type == "code":
                    key = (submission.student.id, grade.name.removeprefix("test_"))
                    found[key] = (grade.auto_score or 0.0, grade.max_score)
    return found


def measure(students: int, stock_students: int, turns: int = TURNS) -> list[Way]:
    """Grade the class in all ways.

    Args:
        students: the size of the class.
        stock_students: of how many of them stock nbgrader grades the work.
        turns: how often ``course grade`` grades the class; stock nbgrader grades a part of its sample in each turn.
    """
    work = mixed_class(students)
    parts = _parts(list(work)[:stock_students], turns)
    theirs, own = Way("stock `nbgrader autograde`"), Way("`course grade`")
    fewer, more = Way("stock, pictures and experiments deleted"), Way("`course grade`, with pictures and experiments")
    for part in parts:
        ours(own, work)
        stock(theirs, {student: work[student] for student in part})
    ours(more, dict(list(work.items())[: max(len(KINDS), students // 3)]), _EXTRAS)
    stock(fewer, {student: without_extras(work[student]) for student in parts[0]})
    return [theirs, own, fewer, more]


def _parts(students: Sequence[str], number: int) -> list[Sequence[str]]:
    """Parts as equal as can be, each with the class's mixture."""
    groups = [students[n : n + len(KINDS)] for n in range(0, len(students), len(KINDS))]
    parts = [[student for group in groups[n::number] for student in group] for n in range(number)]
    return [part for part in parts if part]


def report(ways: Sequence[Way]) -> str:
    """The section of the page."""
    theirs, own, fewer, more = ways
    times, against_fewer = own.rate / theirs.rate, own.rate / fewer.rate
    rows = [
        (
            way.name,
            sum(way.graded) if "stock" in way.name else way.graded[0],
            len(way.turns),
            way.rate,
            way.processor,
            way.rate / theirs.rate,
        )
        for way in ways
    ]
    heads = ("", "submissions", "turns", "a second", "processor seconds each", "times stock")
    return f"""{table(heads, rows)}

`course grade` grades **{times:.0f} times** as many submissions a second as stock nbgrader, for
1/{theirs.processor / own.processor:.0f} of the processor time. Stock nbgrader also runs the source's pictures and
experiments; `course grade` does so only where something graded needs them. With all of them (`c.Examine.extras = True`)
it is {more.rate / theirs.rate:.1f} times as fast as stock. Stock with none of them (deleted from the submissions) is
{fewer.rate / theirs.rate:.1f} times as fast as with them, and `course grade` {against_fewer:.0f} times as fast as that.

{_agreement(theirs.scores, own.scores)}"""


def _agreement(theirs: Scores, own: Scores) -> str:
    """Where the two differ, and where one of them cannot be right: full points are due to right work, none to blank."""
    both = theirs.keys() & own.keys()
    differ = Counter(key[1] for key in both if abs(theirs[key][0] - own[key][0]) > _ROUNDING)
    text = f"Both gave the same points for {len(both) - differ.total()} of the {len(both)} exercises that both graded"
    text += f"; they differ in {', '.join(f'{name} ({n})' for name, n in sorted(differ.items()))}." if differ else "."
    wrong = [*_unfair("stock", theirs), *_unfair("`course grade`", own)]
    if wrong:
        return f"{text} Not full points for right work, or not zero for blank work: {'; '.join(wrong)}."
    return f"{text} Right work got full points and blank work zero, everywhere, in both."


def _unfair(who: str, scores: Scores) -> Iterator[str]:
    due = {"right": 1.0, "blank": 0.0}
    for (student, exercise), (points, most) in sorted(scores.items()):
        kind = kind_of(int(student.rpartition("-")[2]))
        if kind in due and abs(points - due[kind] * most) > _ROUNDING:
            yield f"{who} gives {student} ({kind}) {points:g} of {most:g} for {exercise}"


def main(words: Sequence[str] | None = None) -> None:
    """The command."""
    parser = arguments(__doc__)
    parser.add_argument("--students", type=int, default=100, help="the size of the class (100)")
    parser.add_argument("--stock-students", type=int, help="of how many stock nbgrader grades the work (all)")
    parser.add_argument("--turns", type=int, default=TURNS, help=f"how often `course grade` grades the class ({TURNS})")
    options = parser.parse_args(words)
    fewer = options.stock_students or options.students
    command = f"python -m benchmarks.throughput --students {options.students} --stock-students {fewer}"
    command += f" --turns {options.turns}"
    ways = measure(options.students, min(fewer, options.students), options.turns)
    publish("throughput", command, report(ways), write=options.write)


if __name__ == "__main__":
    main()
