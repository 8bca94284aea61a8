"""Small classes built by hand, and pages read as a browser would read them."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import pytest

_INLINE = {"a", "bdi", "code", "em", "strong", "small"}
_VOID = {"meta", "link", "br", "hr", "img", "input", "path", "use", "rect"}


def case(title="a case", outcome="passed", **fields: Any) -> dict[str, Any]:
    return {"title": title, "outcome": outcome, "hidden": False, "weight": 1.0, **fields}


def record(exercise="dropout", points=4.0, passed=1, failed=0, *, misconceptions=(), **fields: Any) -> dict[str, Any]:
    """A record with ``passed`` passed cases and ``failed`` failed ones, of equal weight."""
    cases = [case(f"case {i}") for i in range(passed)]
    cases += [case(f"case {passed + i}", "failed", message="The scale is wrong.") for i in range(failed)]
    return {
        "version": 1,
        "exercise": exercise,
        "points": points,
        "score": 0.0,
        "refused": [],
        "misconceptions": [{"name": name, "hint": f"hint for {name}"} for name in misconceptions],
        "cases": cases,
        **fields,
    }


def result(student="s1", exercises=(), **fields: Any) -> dict[str, Any]:
    exercises = list(exercises)
    return {
        "assignment": "09_dropout",
        "student": student,
        "name": f"Student {student}",
        "outcome": "partial",
        "score": 0.0,
        "max_score": sum(r["points"] for r in exercises),
        "manual_points_open": 0.0,
        "late_seconds": 0.0,
        "seconds": 1.0,
        "notes": [],
        "exercises": exercises,
        "feedback": None,
        **fields,
    }


@dataclass
class Table:
    caption: str = ""
    headings: list[str] = field(default_factory=list)
    scopes: list[str | None] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)


class Page(HTMLParser):
    """A page's elements, tables and text; fails on elements that do not nest."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.tables: list[Table] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == [], f"never closed: {self._open}"

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        assert len(attributes) == len(attrs), f"<{tag}> has an attribute twice"
        self.elements.append((tag, attributes))
        if tag == "table":
            self.tables.append(Table())
        elif tag == "tr" and "tbody" in self._open:
            self.tables[-1].rows.append([])
        elif tag in ("td", "th") and "tbody" in self._open:
            self.tables[-1].rows[-1].append("")
        elif tag == "th":
            self.tables[-1].headings.append("")
        if tag == "th":
            self.tables[-1].scopes.append(attributes.get("scope"))
        if tag not in _VOID:
            self._open.append(tag)
        if tag not in _INLINE:
            self.text += " "

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag in _VOID:
            return
        assert self._open, f"</{tag}> closes nothing"
        assert self._open[-1] == tag, f"</{tag}> closes <{self._open[-1]}>"
        self._open.pop()

    def handle_data(self, data):
        if {"style", "script"} & set(self._open):
            return
        self.text += data
        if "caption" in self._open:
            self.tables[-1].caption += data
        elif "tbody" in self._open and {"td", "th"} & set(self._open):
            self.tables[-1].rows[-1][-1] += data
        elif "thead" in self._open and "th" in self._open:
            self.tables[-1].headings[-1] += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every element of that name."""
        return [attributes for name, attributes in self.elements if name == tag]

    def table(self, caption: str) -> Table:
        """The one table whose caption contains ``caption``."""
        found = [table for table in self.tables if caption in table.caption]
        assert len(found) == 1, f"{len(found)} tables named {caption!r} of {[t.caption for t in self.tables]}"
        return found[0]

    @property
    def words(self) -> str:
        """The text with single spaces."""
        return " ".join(self.text.split())


@dataclass(frozen=True)
class Builder:
    """The functions above, for tests."""

    case = staticmethod(case)
    record = staticmethod(record)
    result = staticmethod(result)
    page = staticmethod(Page)


@pytest.fixture
def build() -> Builder:
    return Builder()


@pytest.fixture
def small_class() -> list[dict[str, Any]]:
    """Six students and two exercises: all right, partly right, blank, refused, late, and a grader error."""
    stub = [case("shape", "not written", message="dropout is not written yet: replace NotImplementedError")]
    refused = record("dropout", 4.0, 0, 2, refused=["torch.nn.functional.dropout (line 3)"])
    return [
        result("s1", [record("softmax", 2.0), record("dropout", 4.0, 4)], outcome="passed", score=6.0),
        result(
            "s2",
            [record("softmax", 2.0), record("dropout", 4.0, 1, 3, misconceptions=["forgets to scale"])],
            score=3.0,
            late_seconds=90_000.0,
        ),
        result("s3", [record("softmax", 2.0, 1, 1), record("dropout", 4.0, cases=stub)], score=1.0),
        result("s4", [record("softmax", 2.0), refused], score=2.0),
        result(
            "s5",
            [record("softmax", 2.0, 0, 1), record("dropout", 4.0, 1, 3, misconceptions=["forgets to scale"])],
            score=1.0,
            outcome="crashed",
        ),
        result("s6", outcome="grader error", score=None, notes=["The sandbox did not start: no bubblewrap."]),
    ]
