"""Progress bars: live, and cheap however often they change."""

import pytest

from quire.kernels.bootstrap.overwriting import Overwriting, collapsed
from quire.kernels.protocol import STREAM_BYTES_MAX, OutputReplaced, Step, StreamText
from quire.sessions.live_cell import Text
from tests.kernels.driver import Driver, Start

pytestmark = pytest.mark.asyncio(loop_scope="module")


class TestCarriageReturns:
    @pytest.mark.parametrize(
        ("text", "left"),
        [
            ("plain\n", "plain\n"),
            ("\r1\r2\r3", "3"),
            ("\r 10%\r100%\n", "100%\n"),
            ("abcdef\rxyz\rw\n", "wyzdef\n"),
            ("abcdef\rxy", "abcdef\rxy"),
            ("abc\r", "abc\r"),
            ("abc\r\ndef\r\n", "abc\r\ndef\r\n"),
            ("one\na\rbb\ntwo", "one\nbb\ntwo"),
            ("long text\r\x1b[2Kx", "\x1b[2Kx"),
            ("\r\x1b[31mab\x1b[0m\r\x1b[32mcd\x1b[0m", "\x1b[32mcd\x1b[0m"),
            ("\x1b[31mabcdef\x1b[0m\rxy", "\x1b[31mabcdef\x1b[0m\rxy"),
            ("\x1b[?25lx\x1b[?25h", "x"),
            ("\r\r\r", ""),
        ],
    )
    async def test_from_the_beginning(self, text: str, left: str) -> None:
        assert collapsed(text, from_start=True) == left

    @pytest.mark.parametrize(
        ("text", "left"),
        [("\r1\r2", "\r2"), ("tail\r1\r2", "tail\r2"), ("x\r", "x\r"), ("tail\na\rb", "tail\nb"), ("\r", "\r")],
    )
    async def test_what_goes_on_in_an_earlier_line(self, text: str, left: str) -> None:
        assert collapsed(text) == left

    async def test_a_long_line_written_over_often_costs_little(self) -> None:
        assert collapsed("x" * 100_000 + "\ra" * 100_000 + "\n", from_start=True) == "a" + "x" * 99_999 + "\n"

    async def test_pieces_come_to_the_same(self) -> None:
        text = "start\n 1%\r 22%\r333%\rend\nnext\r\nab\rc"
        for size in range(1, len(text)):
            pieces = [collapsed(text[at : at + size]) for at in range(0, len(text), size)]
            assert collapsed("".join(pieces), from_start=True) == collapsed(text, from_start=True), size

    async def test_what_is_gone_is_counted(self) -> None:
        stream = Overwriting()
        written = kept = 0
        for number in range(1000):
            _sent, gone = stream.take(f"\r{number:5d} \u2588")
            written += 10
            kept += 10 - gone
        assert kept == 9 < written

    @pytest.mark.parametrize("written", [0, STREAM_BYTES_MAX * 3 // 4])
    async def test_the_server_keeps_the_last_state(self, written: int) -> None:
        text, before = Text(), "x" * written + "\n"
        text.add(before)
        for number in range(STREAM_BYTES_MAX // 50):
            assert text.add(f"\r{number:100d}") != ""
        assert text.add("\ndone\n") != ""
        assert text.value() == f"{before}{STREAM_BYTES_MAX // 50 - 1:100d}\ndone\n"


class TestStreams:
    async def test_a_bar_that_changes_often_leaves_its_last_state(self, shared: Driver) -> None:
        code = "import sys\nfor n in range(300_000): sys.stderr.write(f'\\r{n:60d}')\nprint('done', file=sys.stderr)"
        events = [event for event in await shared.events(Step("often", code)) if isinstance(event, StreamText)]
        text = "".join(event.text for event in events)
        assert collapsed(text, from_start=True) == f"{299_999:60d}done\n"
        assert len(text) < STREAM_BYTES_MAX

    async def test_what_follows_a_long_bar_is_kept(self, shared: Driver) -> None:
        """Its earlier states do not count towards the limit, though they were sent."""
        code = (
            "import sys\nrecorder = get_ipython().display_pub.recorder\n"
            "for n in range(4_000):\n    sys.stderr.write(f'\\r{n:400d}')\n    recorder.flush()\n"
            "print('\\ndone', file=sys.stderr)"
        )
        outcome = await shared.cell(code)
        assert len(outcome.stderr) > STREAM_BYTES_MAX
        assert collapsed(outcome.stderr, from_start=True) == f"{3_999:400d}\ndone\n"


class TestLibraries:
    @pytest.mark.parametrize("module", ["tqdm", "tqdm.auto", "tqdm.notebook", "tqdm.autonotebook", "tqdm.asyncio"])
    async def test_tqdm(self, shared: Driver, module: str) -> None:
        code = f"from {module} import tqdm\nfor n in tqdm(range(7), desc='work'): pass"
        outcome = await shared.cell(code)
        assert outcome.status == "success"
        assert outcome.outputs == []
        assert outcome.stdout == ""
        shown = collapsed(outcome.stderr, from_start=True)
        assert shown.splitlines()[-1].startswith("work: 100%")
        assert "7/7" in shown
        assert "ipywidgets" not in shown

    @pytest.mark.parametrize("module", ["tqdm.auto", "tqdm.notebook"])
    async def test_tqdm_without_ipywidgets(self, start: Start, module: str) -> None:
        driver = await start(None)
        code = f"import sys\nsys.modules['ipywidgets'] = None\nfrom {module} import tqdm\nfor n in tqdm(range(7)): pass"
        outcome = await driver.cell(code)
        assert outcome.status == "success"
        assert "7/7" in outcome.stderr
        assert "Warning" not in outcome.stderr

    async def test_tqdm_notebook_with_what_only_it_knows(self, shared: Driver) -> None:
        code = (
            "from tqdm.notebook import trange, tqdm_notebook, tnrange\nlist(trange(3, display=True, colour='red'))\n"
            "bar = tqdm_notebook(total=2, ncols='100%')\nbar.update(2)\nbar.close()\nlist(tnrange(2))"
        )
        outcome = await shared.cell(code)
        assert outcome.text == "[0, 1]"
        assert "3/3" in outcome.stderr

    async def test_tqdm_of_pandas(self, shared: Driver) -> None:
        code = (
            "import pandas as pd\nfrom tqdm.auto import tqdm\ntqdm.pandas()\n"
            "list(pd.Series([1, 2]).progress_apply(lambda n: n + 1))"
        )
        outcome = await shared.cell(code)
        assert (outcome.text, "2/2" in outcome.stderr) == ("[2, 3]", True)

    async def test_rich_text(self, shared: Driver) -> None:
        outcome = await shared.cell("import rich\nrich.print('[bold red]loud[/] and quiet')")
        assert outcome.stdout == "\x1b[1;31mloud\x1b[0m and quiet\n"
        table = "from rich.table import Table\nt = Table()\nt.add_column('a')\nt.add_row('1')\nt"
        assert [output.mime_type for output in (await shared.cell(table)).outputs] == ["text/html"]

    async def test_rich_progress_is_one_display_that_changes(self, shared: Driver) -> None:
        code = "from rich.progress import track\nfor n in track(range(5), description='work'): pass"
        outcome = await shared.cell(code)
        assert (outcome.stdout, outcome.stderr) == ("", "")
        assert "work" in outcome.text
        assert "100%" in outcome.text

    async def test_rich_progress_of_several_tasks(self, shared: Driver) -> None:
        code = (
            "from rich.progress import Progress\nwith Progress() as progress:\n"
            "    one, two = progress.add_task('one', total=2), progress.add_task('two', total=2)\n"
            "    progress.console.print('between')\n    progress.update(one, advance=2)\n    print('printed')\n"
            "    progress.update(two, advance=1)"
        )
        outcome = await shared.cell(code)
        assert outcome.stdout == "between\nprinted\n"
        first, second = outcome.text.splitlines()
        assert ("100%" in first, "50%" in second) == (True, True)

    async def test_rich_that_leaves_nothing(self, shared: Driver) -> None:
        code = "from rich.console import Console\nwith Console().status('wait'): print('work')"
        outcome = await shared.cell(code)
        assert (outcome.text, outcome.stdout) == ("", "work\n")

    async def test_rich_to_a_file_is_left_alone(self, shared: Driver) -> None:
        code = (
            "import io\nfrom rich.console import Console\nfrom rich.progress import track\nheld = io.StringIO()\n"
            "for n in track(range(2), console=Console(file=held, force_terminal=False)): pass\n"
            "'100%' in held.getvalue()"
        )
        assert (await shared.cell(code)).text == "True"

    async def test_a_display_that_changes(self, shared: Driver) -> None:
        code = "from IPython.display import ProgressBar\nfor n in ProgressBar(4): pass"
        events = await shared.events(Step("bar", code))
        last = [event for event in events if isinstance(event, OutputReplaced)][-1]
        assert "value='4'" in str(last.output.data)
