import base64
import io
import struct

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from matplotlib.colors import to_rgb

from course_lib import lab

ALT = 'The loss falls from 2.3 to 0.1 in 200 steps; "<noise>" remains.'


@pytest.fixture(autouse=True)
def _no_window():
    backend = mpl.get_backend()
    plt.switch_backend("agg")
    with mpl.rc_context():
        yield
    plt.close("all")
    plt.switch_backend(backend)


@pytest.fixture
def shown(tmp_path, monkeypatch):
    """What a notebook gets to display."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(display_pub_class=CapturingDisplayPublisher)
    shell.history_manager.enabled = False
    yield shell.display_pub.outputs
    shell.history_manager.end_session()
    InteractiveShell.clear_instance()


def draw():
    fig, ax = lab.figure()
    ax.plot([0, 1, 2], [2.3, 0.5, 0.1], label="training loss")
    ax.legend()
    return fig


def png_of(output):
    return base64.b64decode(output["data"]["image/png"])


def pixels(output):
    return plt.imread(io.BytesIO(png_of(output)))


def test_a_figure_is_shown_as_png_with_its_text_alternative(shown):
    lab.show(draw(), alt=ALT)
    (output,) = shown
    assert png_of(output).startswith(b"\x89PNG")
    assert output["metadata"]["image/png"]["alt"] == ALT


def test_a_shown_figure_is_closed(shown):
    fig = draw()
    assert plt.fignum_exists(fig.number)
    lab.show(fig, alt=ALT)
    assert plt.get_fignums() == []


@pytest.mark.parametrize("alt", ["", "  \n"])
def test_a_text_alternative_is_demanded(shown, alt):
    with pytest.raises(ValueError, match=r"show\(fig, alt=\.\.\.\) needs a text alternative: say in a sentence"):
        lab.show(draw(), alt=alt)
    assert shown == []
    with pytest.raises(TypeError):
        lab.show(draw())


def test_the_same_drawing_gives_the_same_bytes(shown):
    lab.show(draw(), alt=ALT)
    lab.show(draw(), alt=ALT)
    first, second = (png_of(output) for output in shown)
    assert first == second


def test_the_bytes_say_nothing_of_time_or_version(shown):
    lab.show(draw(), alt=ALT)
    png = png_of(shown[0])
    at, kinds = 8, []
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        kinds.append(kind)
        at += 12 + length  # length, kind, data, checksum
    assert not {b"tEXt", b"iTXt", b"zTXt", b"tIME"} & set(kinds)


def test_a_figure_is_an_opaque_light_card(shown):
    lab.show(draw(), alt=ALT)
    image = pixels(shown[0])
    assert image.shape[2] == 3 or image[..., 3].min() == 1
    assert image[0, 0, :3].min() > 0.9


def test_the_size_is_in_inches_and_dots(shown):
    fig, _ = lab.figure(width=4, height=2)
    lab.show(fig, alt=ALT, dpi=50)
    assert pixels(shown[0]).shape[:2] == (100, 200)


def test_axes_come_as_matplotlib_gives_them():
    _, one = lab.figure()
    _, row = lab.figure(1, 3)
    _, grid = lab.figure(2, 3, sharex=True)
    assert hasattr(one, "plot")
    assert row.shape == (3,)
    assert grid.shape == (2, 3)


def test_what_is_drawn_later_has_the_style_too():
    fig = draw()
    legend = fig.axes[0].get_legend()
    assert legend.get_frame().get_facecolor() == (1.0, 1.0, 1.0, 0.9)
    assert legend.get_texts()[0].get_color() == "#222222"


def test_the_palette_is_that_of_okabe_and_ito():
    assert set(lab.COLORS) == {"blue", "orange", "green", "vermillion", "sky", "purple", "yellow", "black"}
    assert lab.COLORS["blue"] == "#0072B2"
    assert len(set(lab.COLORS.values())) == 8


def test_lines_take_the_colours_of_the_palette_in_turn():
    _, ax = lab.figure()
    colours = [ax.plot([0, 1])[0].get_color() for _ in range(6)]
    assert len(set(colours)) == 6
    assert set(colours) <= set(lab.COLORS.values())


def test_text_can_be_read_on_the_card():
    fig, ax = lab.figure()

    def luminance(colour):
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in to_rgb(colour)]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for text in (ax.xaxis.label, ax.yaxis.label, ax.title, *ax.get_xticklabels()):
        ratio = (luminance(fig.get_facecolor()) + 0.05) / (luminance(text.get_color()) + 0.05)
        assert ratio >= 7
