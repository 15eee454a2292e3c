"""What everyday libraries show, and objects that cannot show themselves."""

import base64
import json
import struct

import pytest

from tests.kernels.driver import Driver, data_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOT_INTERACTIVE = "Widgets are not interactive here."
HANGS = "print('looking')\n        while True:\n            pass\n"


class TestPictures:
    async def test_a_figure_has_twice_the_pixels_of_its_size(self, shared: Driver) -> None:
        code = "import matplotlib.pyplot as plt\nplt.figure(figsize=(3, 2), layout='constrained')\nplt.plot([1, 2]);"
        [output] = (await shared.cell(code)).outputs
        size = json.loads(output.metadata)
        width, height = struct.unpack(">II", base64.b64decode(data_of(output))[16:24])
        assert output.mime_type == "image/png"
        assert abs(width - 2 * size["width"]) <= 1
        assert abs(height - 2 * size["height"]) <= 1

    async def test_the_format_can_be_chosen(self, shared: Driver) -> None:
        try:
            code = "%config InlineBackend.figure_formats = ['svg']\nimport matplotlib.pyplot as plt\nplt.plot([1]);"
            [output] = (await shared.cell(code)).outputs
            assert output.mime_type == "image/svg+xml"
        finally:
            await shared.cell("%config InlineBackend.figure_formats = ['retina']")

    async def test_figures_are_closed_after_their_cell(self, shared: Driver) -> None:
        _figure, number = await shared.run("plt.figure()\nplt.plot([1])\n1", "plt.get_fignums()")
        assert number.text == "[]"

    @pytest.mark.parametrize(
        ("code", "mime_type", "beginning"),
        [
            ("import PIL.Image\nPIL.Image.new('RGB', (4, 4))", "image/png", "iVBOR"),
            ("from IPython.display import Image\nImage(b'\\xff\\xd8\\xff')", "image/jpeg", "/9j/"),
            ("import sympy\nsympy.sqrt(sympy.Symbol('x'))", "text/latex", "$\\displaystyle \\sqrt{x}$"),
            ("class Drawing:\n    def _repr_svg_(self): return '<svg/>'\nDrawing()", "image/svg+xml", "<svg/>"),
            ("class Words:\n    def _repr_markdown_(self): return '**x**'\nWords()", "text/markdown", "**x**"),
            (
                "from IPython.display import Audio\nAudio([0.0, 0.5], rate=8000)",
                "text/html",
                '<audio  controls="controls" >\n                    <source src="data:audio/wav;base64,Ukl',
            ),
        ],
    )
    async def test_shown_as(self, shared: Driver, code: str, mime_type: str, beginning: str) -> None:
        [output] = (await shared.cell(code)).outputs
        assert output.mime_type == mime_type
        assert data_of(output).strip().startswith(beginning)

    async def test_a_film_from_a_file_comes_along(self, shared: Driver) -> None:
        code = (
            "from pathlib import Path\nfrom IPython.display import Video\nPath('film.mp4').write_bytes(b'123')\n"
            "Video('film.mp4', width=20)"
        )
        [output] = (await shared.cell(code)).outputs
        assert output.mime_type == "text/html"
        assert 'src="data:video/mp4;base64,MTIz"' in data_of(output)
        assert 'width="20"' in data_of(output)

    async def test_a_film_that_is_too_large_says_so(self, shared: Driver) -> None:
        code = (
            "from pathlib import Path\nfrom IPython.display import Video\n"
            "Path('long.mp4').write_bytes(bytes(6 * 1024**2))\nVideo('long.mp4')"
        )
        assert (await shared.cell(code)).text == ("long.mp4 is 6.0 MB; films of up to 5 MB are shown. Make it smaller.")

    async def test_a_film_from_elsewhere_is_left_there(self, shared: Driver) -> None:
        code = "from IPython.display import Video\nVideo('https://example.org/film.mp4')"
        assert 'src="https://example.org/film.mp4"' in (await shared.cell(code)).data[0]


class TestWidgets:
    @pytest.mark.parametrize(
        ("code", "lines"),
        [
            ("w.IntSlider(value=3, description='age')", ["  IntSlider age = 3"]),
            ("display(w.Text('a'))", ["  Text = 'a'"]),
            (
                "w.VBox([w.Checkbox(True), w.HTML('<b>x</b>')])",
                ["  VBox", "    Checkbox = True", "    HTML = '<b>x</b>'"],
            ),
            ("w.Output()", ["  Output"]),
            ("w.interactive(lambda x: x, x=3)", ["  interactive", "    IntSlider x = 3", "    Output"]),
        ],
    )
    async def test_a_widget_is_told_in_words(self, shared: Driver, code: str, lines: list[str]) -> None:
        note, *told = (await shared.cell(f"import ipywidgets as w\n{code}")).text.splitlines()
        assert note.startswith(NOT_INTERACTIVE)
        assert told == lines

    async def test_interact_shows_the_first_result(self, shared: Driver) -> None:
        outcome = await shared.cell("import ipywidgets as w\nw.interact(lambda x: x * 10, x=(0, 4));")
        assert outcome.status == "success"
        assert outcome.data[0] == "20"
        assert outcome.data[1].startswith(NOT_INTERACTIVE)

    async def test_what_is_written_into_an_output_widget_is_shown(self, shared: Driver) -> None:
        outcome = await shared.cell("import ipywidgets as w\nwith w.Output(): print('inside')")
        assert outcome.stdout == "inside\n"


class TestHanging:
    @pytest.mark.parametrize(
        "value",
        [
            f"class Slow:\n    def _repr_html_(self):\n        {HANGS}display(Slow())",
            f"class Slow:\n    def __repr__(self):\n        {HANGS}Slow()",
            f"import pandas\nclass Slow(pandas.DataFrame):\n    def copy(self, deep):\n        {HANGS}display(Slow())",
        ],
    )
    async def test_a_representation_that_hangs_is_ended_by_an_interrupt(self, shared: Driver, value: str) -> None:
        [outcome] = await shared.after("looking", shared.kernel.interrupt, value)
        assert outcome.error.name == "KeyboardInterrupt"
        assert (await shared.cell("1 + 1")).text == "2"
