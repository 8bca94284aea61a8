"""What a student sees of a source notebook: nbgrader's own stubs, without hidden tests and marking schemes."""

from copy import deepcopy

from nbformat import NotebookNode
from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme, ClearSolutions
from traitlets.config import Config


def released_view(source: NotebookNode, config: Config | None = None) -> NotebookNode:
    """A copy of a source notebook as nbgrader's release step would leave its cells' text.

    Args:
        source: the hand-written notebook; it is left as it is.
        config: nbgrader's configuration, for stubs of the course's own wording.

    Raises:
        RuntimeError: when a region in the source is not closed, or stands in the wrong kind of cell.
    """
    view = deepcopy(source)
    for clear in (ClearSolutions, ClearHiddenTests, ClearMarkScheme):
        view, _ = clear(config=config).preprocess(view, {})
    return view
