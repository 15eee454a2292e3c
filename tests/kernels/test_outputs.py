"""What cells show."""

import base64
import json

import pytest

from quire.kernels.protocol import OUTPUT_BYTES_MAX, OUTPUTS_MAX, OutputReplaced, Step, StreamText
from tests.kernels.driver import Driver, data_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

PNG = b"\x89PNG\r\n\x1a\n"


class TestLibraries:
    @pytest.mark.parametrize("show", ["fig", "fig.show()", "display(fig)"])
    async def test_plotly_gives_its_json_without_the_library(self, shared: Driver, show: str) -> None:
        outcome = await shared.cell(
            f"import plotly.express as px\nfig = px.line(x=[1, 2], y=[3, float('nan')])\n{show}"
        )
        [output] = outcome.outputs
        assert output.mime_type == "application/vnd.plotly.v1+json"
        assert len(data_of(output)) < 50_000
        figure = json.loads(data_of(output), parse_constant=pytest.fail)
        assert figure["data"][0]["type"] == "scatter"

    async def test_altair_gives_a_specification(self, shared: Driver) -> None:
        outcome = await shared.cell(
            "import altair as alt, pandas as pd\n"
            "alt.Chart(pd.DataFrame({'x': [1, 2], 'y': [3, 4]})).mark_line().encode(x='x', y='y')"
        )
        [output] = outcome.outputs
        assert output.mime_type.startswith("application/vnd.vegalite.v")
        assert json.loads(data_of(output))["mark"]["type"] == "line"

    async def test_matplotlib_shows_each_cells_figures_with_that_cell(self, shared: Driver) -> None:
        first, second, third = await shared.run(
            "import matplotlib.pyplot as plt\nplt.plot([1, 2]);",
            "plt.plot([2, 1])\nplt.figure()\nplt.plot([3])\nprint('after')",
            "len(plt.get_fignums())",
        )
        assert [output.mime_type for output in first.outputs] == ["image/png"]
        assert [output.mime_type for output in second.outputs] == ["image/png", "image/png"]
        assert base64.b64decode(first.data[0]).startswith(PNG)
        assert third.text == "0"

    async def test_matplotlib_shows_the_figure_of_a_cell_that_fails(self, shared: Driver) -> None:
        outcome = await shared.cell("import matplotlib.pyplot as plt\nplt.plot([1])\n1/0")
        assert outcome.status == "error"
        assert [output.mime_type for output in outcome.outputs] == ["image/png"]

    async def test_numpy_values(self, shared: Driver) -> None:
        assert (await shared.cell("import numpy as np\nnp.arange(3)")).text == "array([0, 1, 2])"


class TestMimeTypes:
    @pytest.mark.parametrize(
        ("code", "mime_type", "data"),
        [
            ("from IPython.display import HTML\nHTML('<b>x</b>')", "text/html", "<b>x</b>"),
            ("from IPython.display import Markdown\nMarkdown('**x**')", "text/markdown", "**x**"),
            ("from IPython.display import Latex\nLatex('$x$')", "text/latex", "$x$"),
            ("from IPython.display import Math\nMath('x')", "text/latex", "$\\displaystyle x$"),
            ("from IPython.display import SVG\nSVG('<svg xmlns=\"a\"/>')", "image/svg+xml", '<svg xmlns="a"/>'),
            ("from IPython.display import JSON\nJSON({'a': [1]})", "application/json", '{"a":[1]}'),
            ("display({'text/plain': 'p', 'text/html': 'h'}, raw=True)", "text/html", "h"),
            ("display({'text/plain': 'p', 'image/png': b'123'}, raw=True)", "image/png", "MTIz"),
            ("display({'image/png': 'MTIz', 'image/svg+xml': '<svg/>'}, raw=True)", "image/svg+xml", "<svg/>"),
            ("display({'text/plain': 'p', 'application/x-unknown': 'u'}, raw=True)", "text/plain", "p"),
            ("display({'application/x-unknown': 'u'}, raw=True)", "application/x-unknown", "u"),
            (
                "display({'application/vnd.quire.table+json': {'r': 1}, 'text/html': 'h'}, raw=True)",
                "application/vnd.quire.table+json",
                '{"r":1}',
            ),
            ("display({'text/html': ['a', 'b']}, raw=True)", "text/html", "ab"),
        ],
    )
    async def test_the_richest_is_taken(self, shared: Driver, code: str, mime_type: str, data: str) -> None:
        [output] = (await shared.cell(code)).outputs
        assert (output.mime_type, data_of(output).strip()) == (mime_type, data)

    @pytest.mark.parametrize(
        ("value", "written"),
        [
            ("float('nan')", "null"),
            ("[1.5, float('inf'), {'a': float('-inf')}]", '[1.5,null,{"a":null}]'),
            ("{1: 2, (3, 4): 5}", '{"1":2,"(3, 4)":5}'),
            ("__import__('numpy').arange(3)", "[0,1,2]"),
            ("__import__('numpy').float64('nan')", "null"),
            ("[__import__('datetime').date(2024, 1, 2), {3}]", '["2024-01-02",[3]]'),
            ("'{\"a\": NaN}'", '"{\\"a\\": NaN}"'),
            ("'{\"a\": 1}'", '{"a": 1}'),
            ("2**70", str(2**70)),
            ("'\\ud800'", '"\ufffd"'),
        ],
    )
    async def test_json_is_always_valid(self, shared: Driver, value: str, written: str) -> None:
        [output] = (await shared.cell(f"display({{'application/json': {value}}}, raw=True)")).outputs
        assert data_of(output) == written
        json.loads(data_of(output), parse_constant=pytest.fail)

    async def test_json_without_an_end_falls_back(self, shared: Driver) -> None:
        outcome, then = await shared.run(
            "loop = []\nloop.append(loop)\ndisplay({'application/json': loop, 'text/plain': 'p'}, raw=True)", "1"
        )
        assert outcome.text == "p"
        assert then.text == "1"

    async def test_metadata_of_the_display_and_of_the_chosen_type(self, shared: Driver) -> None:
        [output] = (
            await shared.cell(
                "metadata = {'image/png': {'width': 2}, 'text/plain': {'no': 1}, 'own': True}\n"
                "display({'image/png': b'1', 'text/plain': 'p'}, raw=True, metadata=metadata)"
            )
        ).outputs
        assert json.loads(output.metadata) == {"width": 2, "own": True}

    async def test_lone_surrogates_become_replacement_characters(self, shared: Driver) -> None:
        outcome = await shared.cell(
            "print('a\\ud800b')\ndisplay({'text/html': 'c\\udfffd'}, raw=True)\nraise ValueError('\\ud800')"
        )
        assert outcome.stdout == "a\ufffdb\n"
        assert outcome.data[0] == "c\ufffdd"
        assert outcome.error.message == "\ufffd"

    async def test_characters_beyond_the_basic_plane_and_nul_survive(self, shared: Driver) -> None:
        outcome = await shared.cell("print('\U0001f600\\0é')\n'\U0001f600'")
        assert outcome.stdout == "\U0001f600\0é\n"
        assert outcome.text == "'\U0001f600'"


class TestBrokenRepresentations:
    async def test_a_failing_html_representation_gives_the_text_and_the_traceback(self, shared: Driver) -> None:
        outcome, then = await shared.run(
            "class Bad:\n    def _repr_html_(self): raise RuntimeError('no html')\n"
            "    def __repr__(self): return 'plain'\nBad()",
            "1",
        )
        assert outcome.status == "success"
        assert outcome.text == "plain"
        assert "no html" in outcome.stderr
        assert then.text == "1"

    async def test_a_failing_repr(self, shared: Driver) -> None:
        outcome, then = await shared.run(
            "class Worse:\n    def __repr__(self): raise RuntimeError('no repr')\nWorse()", "1"
        )
        assert outcome.outputs == []
        assert "no repr" in outcome.stderr
        assert then.text == "1"


class TestDisplays:
    async def test_a_display_is_changed_in_place(self, shared: Driver) -> None:
        outcome = await shared.cell("handle = display('one', display_id=True)\ndisplay('two')\nhandle.update('three')")
        assert outcome.data == ["'three'", "'two'"]
        assert outcome.outputs[0].display_id

    async def test_a_display_of_an_earlier_cell_is_changed_there(self, shared: Driver) -> None:
        first, second = await shared.run("handle2 = display('one', display_id='d1')", "handle2.update('two')\n'own'")
        assert first.text == "'two'"
        assert second.text == "'own'"

    async def test_a_display_of_an_earlier_plan_is_told_of_the_running_cell(self, shared: Driver) -> None:
        await shared.cell("handle3 = display('one', display_id='d3')")
        events = await shared.events(Step("later", "handle3.update('two')"))
        [replaced] = [event for event in events if isinstance(event, OutputReplaced)]
        assert (replaced.cell_id, replaced.output.display_id, data_of(replaced.output)) == ("later", "d3", "'two'")

    async def test_a_fast_progress_bar_ends_in_its_last_state(self, shared: Driver) -> None:
        events = await shared.events(
            Step("bar", "h = display(0, display_id='bar')\nfor i in range(20_000): h.update(i)")
        )
        replaced = [data_of(event.output) for event in events if isinstance(event, OutputReplaced)]
        assert replaced[-1] == "19999"
        assert len(replaced) < 2_000

    async def test_clear_output(self, shared: Driver) -> None:
        outcome = await shared.cell(
            "from IPython.display import clear_output\nprint('old')\ndisplay(1)\nclear_output()\nprint('new')"
        )
        assert (outcome.stdout, outcome.outputs) == ("new\n", [])

    async def test_clear_output_waits_for_what_comes_next(self, shared: Driver) -> None:
        kept, replaced = await shared.run(
            "print('old')\nclear_output(wait=True)", "print('old')\nclear_output(wait=True)\nprint('new')"
        )
        assert (kept.stdout, replaced.stdout) == ("old\n", "new\n")

    async def test_an_animation_costs_what_is_seen_of_it(self, shared: Driver) -> None:
        batches = await shared.batches(
            Step("film", "for i in range(5_000):\n    clear_output(wait=True)\n    print('frame', i)")
        )
        assert batches[-1][-2] == StreamText("film", "stdout", "frame 4999\n")
        assert sum(map(len, batches)) < 1_000


class TestLimits:
    async def test_a_large_output_becomes_a_text_that_says_so(self, shared: Driver) -> None:
        outcome, then = await shared.run("from IPython.display import HTML\nHTML('x' * (50 * 1024 * 1024))", "1")
        assert outcome.text == "This output is 50.0 MB; up to 8 MB are kept. Show less of it, or write it to a file."
        assert then.text == "1"

    async def test_the_largest_output_is_kept(self, shared: Driver) -> None:
        [output] = (await shared.cell(f"HTML('x' * {OUTPUT_BYTES_MAX})")).outputs
        assert len(data_of(output)) == OUTPUT_BYTES_MAX

    async def test_only_so_many_outputs_are_kept(self, shared: Driver) -> None:
        outcome = await shared.cell(f"for i in range({OUTPUTS_MAX + 500}): display(i)")
        assert len(outcome.outputs) == OUTPUTS_MAX
        assert outcome.data[-2] == str(OUTPUTS_MAX - 2)
        assert "not kept" in outcome.data[-1]

    async def test_many_large_outputs_are_bounded_as_a_whole(self, shared: Driver) -> None:
        outcome = await shared.cell(f"for i in range(20): display(HTML('x' * {OUTPUT_BYTES_MAX}))")
        assert len(outcome.outputs) == 20
        assert sum(len(data_of(output)) for output in outcome.outputs) <= 64 * 1024 * 1024 + 20 * 200
        assert "64 MB in all" in outcome.data[-1]
