"""Makes markup from students harmless: what is left shows text, tables and pictures, and does nothing.

Two steps. The first reads tag by tag, keeps what is on the list, and closes what it opens, in time proportional to the
length: a parser that mends bad HTML as browsers do can be kept busy for very long by a short text made for that. The
second is bleach, nbconvert's own sanitizer, and has the last word.
"""

import re
from html import escape, unescape
from typing import Any

import bleach  # type: ignore[import-untyped]
from bleach.css_sanitizer import CSSSanitizer  # type: ignore[import-untyped]
from jinja2 import pass_context
from jinja2.runtime import Context
from mistune import HTMLRenderer
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

MAX_MARKUP = 100_000
"""Characters of markup that are read, pictures not counted; what is longer is left out."""
MAX_MARKDOWN = 10_000
"""Characters of Markdown that are rendered; what is longer is shown as it was written."""
MAX_MARKDOWN_OF_ALL = 150_000
"""The same for all texts of a notebook together; the course's own have less than a third of it."""
MAX_OPENERS = 100
"""So often a rendered text may begin a formula: nbconvert looks for the end of each through all of the text."""


def _set_of(words: str) -> frozenset[str]:
    return frozenset(words.split())


_TAGS = _set_of("""
    a b blockquote br caption code col colgroup dd del details div dl dt em h1 h2 h3 h4 h5 h6 hr i img kbd li mark
    ol p pre s samp small span strong sub summary sup table tbody td tfoot th thead tr u ul var
""")
_EMPTY = frozenset(["br", "col", "hr", "img"])
_ENDS_ITSELF = frozenset(["dd", "dt", "li", "p", "td", "th", "tr"])  # before the next of its kind
_NOT_TEXT = frozenset(["script", "style", "template", "noscript", "iframe", "object", "svg", "math", "head", "title"])
"""Tags whose content is no text for readers."""
_MAX_DEPTH = 60
_MAX_TAGS = 50_000

_ATTRIBUTES = {
    "*": ["style", "title"],
    "a": ["href"],
    "col": ["span"],
    "details": ["open"],
    "div": ["class"],
    "img": ["alt", "height", "src", "width"],
    "li": ["value"],
    "ol": ["start"],
    "span": ["aria-hidden"],
    "td": ["colspan", "rowspan"],
    "th": ["colspan", "rowspan", "scope"],
}
# No class (but that of our tables), id, name or data-*: Formgrader's scripts act on them.
# No address is fetched, and nothing leaves its place.
_STYLES = _set_of("""
    background-color border border-bottom border-collapse border-color border-left border-radius border-right
    border-style border-top border-width caption-side color display font-family font-style font-weight max-width
    min-width opacity overflow-wrap padding padding-bottom padding-left padding-right padding-top text-align text-
    decoration vertical-align white-space width
""")
_LINK = re.compile(r"(https?://|mailto:|#)[^\s]*", re.IGNORECASE)
_PICTURE = re.compile(r"data:image/(png|jpeg|gif|webp|svg\+xml);base64,[A-Za-z0-9+/=\s]*")
_BASE64 = re.compile(r";base64,[A-Za-z0-9+/=]*")
_NUMBER = re.compile(r"[0-9]{1,4}(\.[0-9]{1,6})?(px|em|%)?")


def harmless(markup: str) -> str:
    """The harmless part of a piece of HTML: well formed, on every page the same, and once more through here unchanged.

    Args:
        markup: any text, from anybody.
    """
    markup = str(markup)
    if length(markup) > MAX_MARKUP:
        return f"<p>(Markup of {length(markup):,} characters was left out.)</p>"
    cleaned: str = bleach.clean(
        _Balanced(markup).text,
        tags=_TAGS,
        attributes=_allowed,
        protocols={"http", "https", "mailto", "data"},
        css_sanitizer=CSSSanitizer(allowed_css_properties=_STYLES, allowed_svg_properties=frozenset()),
        strip=True,
    )
    return cleaned


def length(markup: str) -> int:
    """The characters of markup that take time to clean: all but those of its pictures."""
    return len(_BASE64.sub("", markup))


def _allowed(tag: str, name: str, value: str) -> bool:
    if name not in _ATTRIBUTES["*"] and name not in _ATTRIBUTES.get(tag, ()):
        return False
    if name == "class":
        return value == "course-checks"
    if name == "href":
        return bool(_LINK.fullmatch(value))
    if name == "src":  # in an <img> even an SVG runs no script and fetches nothing
        return bool(_PICTURE.fullmatch(value))
    if name in ("width", "height", "colspan", "rowspan", "span", "start", "value"):
        return bool(_NUMBER.fullmatch(value))
    # A picture that a style fetches would tell its owner who reads the page; an escape can spell that in many ways.
    return name != "style" or not re.search(r"url|image|expression|\\|@|!", value, re.IGNORECASE)


_COMMENT = re.compile(r"<!--.*?(-->|\Z)", re.DOTALL)
_TAG = re.compile(r"""(?P<end>/?)(?P<name>[a-z][a-z0-9]*+)(?P<rest>(?:[^<>"']++|"[^<"]*+"|'[^<']*+')*+)>""", re.I)
_ATTRIBUTE = re.compile(r"""([^\s"'<>/=]++)(?:\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s"'>]++)))?""")
_OTHER = re.compile(r"[!?/][^<>]*>")


class _Balanced:
    """Reads any text as HTML and writes it again: allowed tags only, each closed, none nested deeper than pages are.

    Nothing is looked for beyond the next ``<``, so no text takes longer than its length.
    """

    def __init__(self, markup: str) -> None:
        self._parts: list[str] = []
        self._open: list[str] = []
        self._skipped = ""
        self._tags = 0
        for number, piece in enumerate(_COMMENT.sub("", markup).split("<")):
            self._piece(piece, is_text=number == 0)
        self._parts += [f"</{tag}>" for tag in reversed(self._open)]

    @property
    def text(self) -> str:
        """What was written."""
        return "".join(self._parts)

    def _piece(self, piece: str, *, is_text: bool) -> None:
        """One piece of the text, from behind a ``<`` to the next."""
        tag = None if is_text else _TAG.match(piece)
        other = None if is_text or tag else _OTHER.match(piece)
        if tag:
            name = tag["name"].lower()
            if self._skipped:
                self._skipped = "" if tag["end"] and name == self._skipped else self._skipped
            elif tag["end"]:
                self._close(name)
            else:
                self._start(name, tag["rest"])
        read = tag or other
        text = piece[read.end() :] if read else piece if is_text else f"<{piece}"
        if not self._skipped:
            self._parts.append(escape(unescape(text), quote=False))

    def _start(self, tag: str, rest: str) -> None:
        self._tags += 1
        if tag in _NOT_TEXT:
            self._skipped = "" if rest.rstrip().endswith("/") else tag
            return
        if tag not in _TAGS or self._tags > _MAX_TAGS or (tag not in _EMPTY and len(self._open) >= _MAX_DEPTH):
            return
        if tag in _ENDS_ITSELF and self._open[-1:] == [tag]:
            self._close(tag)
        values = {name.lower(): unescape("".join(value)) for name, *value in reversed(_ATTRIBUTE.findall(rest))}
        kept = {name: value for name, value in sorted(values.items()) if _allowed(tag, name, value)}
        written = "".join(f' {name}="{escape(value)}"' for name, value in kept.items())
        self._parts.append(f"<{tag}{written}>")
        if tag not in _EMPTY:
            self._open.append(tag)

    def _close(self, tag: str) -> None:
        while tag in self._open:
            closed = self._open.pop()
            self._parts.append(f"</{closed}>")
            if closed == tag:
                break


# Formulas in $ and $$ are not among them: what might begin another one ends the one before.
_OPENER = re.compile(r"\\\\[\[(]|\\begin\{")


class Markdown:
    """Makes Markdown harmless HTML; what could take long, or cannot be rendered, is shown as it was written.

    One for each notebook: every text is charged before anything is done with it, and there is a limit for all together.
    """

    def __init__(self) -> None:
        self._left = MAX_MARKDOWN_OF_ALL

    def html(self, source: str, attachments: Any = None) -> str:
        """A text as harmless HTML.

        Args:
            source: the Markdown, from anybody.
            attachments: the pictures of the cell that it stands in.
        """
        why = self._charged(source)
        if not why:
            try:
                renderer = _Renderer(escape=False, attachments=attachments or {}, exclude_anchor_links=True)
                return harmless(str(MarkdownWithMath(renderer=renderer).render(source)))
            except Exception:  # of many kinds: nesting beyond Python's stack, pictures that do not exist
                why = "it cannot be rendered"
        return f"<p>(This text is shown as it was written: {why}.)</p><pre>{escape(source, quote=False)}</pre>"

    def _charged(self, source: str) -> str:
        """Why a text is not rendered; empty, and the text is charged, when it is."""
        if len(source) > MAX_MARKDOWN:
            return f"it has more than {MAX_MARKDOWN:,} characters"
        if len(_OPENER.findall(source)) > MAX_OPENERS:
            return f"it begins more than {MAX_OPENERS} formulas"
        if len(source) > self._left:
            return "those before it have used up what a notebook may have"
        self._left -= len(source)
        return ""


class _Renderer(IPythonRenderer):
    """nbconvert's, without colours in code: a page keeps none, and not every language's patterns are quick."""

    def block_code(self, code: str, info: str | None = None) -> str:
        """Called for each block of code, with the language that the text names; see the class."""
        return HTMLRenderer.block_code(self, code)


@pass_context
def markdown2html(context: Context, source: str) -> str:
    """Jinja filter: Markdown as harmless HTML; what cannot be rendered is shown as it was written.

    Takes the place of nbconvert's filter of the same name (``HTMLExporter.filters`` in ``nbgrader_config.py``), which
    passes HTML and ``javascript:`` links on, and stops the whole page for a picture that is not there, or for hours.
    """
    cell: Any = context.get("cell", {})
    resources: Any = context.get("resources", {})  # nbconvert makes one for each page
    return resources.setdefault(_OF_PAGE, Markdown()).html(source, cell.get("attachments"))  # type: ignore[no-any-return]


_OF_PAGE = "course_markdown"
