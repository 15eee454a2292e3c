"""What cells show: MIME types, and large outputs by address."""

import base64
import hashlib
import json

import httpx
import pytest

from tests.api.calls import add, new_notebook, run, show, show_cell

TABLE = "application/vnd.quire.table+json"
LARGE = "import os\nfrom IPython.display import display, publish_display_data\n"


def test_large_outputs_are_given_by_address(client: httpx.Client, notebook: str) -> None:
    cell = add(client, notebook, f"{LARGE}blob = os.urandom(9000).hex()\nprint('seen')\nblob")
    assert run(client, notebook) == {cell: "success"}
    found = show_cell(client, notebook, cell)
    assert found["stdout"] == "seen\n"
    [output] = found["outputs"]
    assert output["data"] is None
    answer = client.get(output["url"])
    assert answer.status_code == 200
    assert len(answer.content) == 18_002
    assert hashlib.sha256(answer.content).hexdigest() in output["url"]
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("sandbox")
    assert answer.headers["content-type"].startswith("text/plain")


def test_what_a_browser_could_run_is_served_as_plain_text(client: httpx.Client, notebook: str) -> None:
    code = f"{LARGE}from IPython.display import HTML\nHTML('<script>alert(1)</script>' + os.urandom(9000).hex())"
    cell = add(client, notebook, code)
    run(client, notebook)
    [output] = show_cell(client, notebook, cell)["outputs"]
    assert output["mime_type"] == "text/html"
    answer = client.get(output["url"])
    assert answer.text.startswith("<script>")
    path = output["url"].partition("?")[0]
    wanted = [
        "text/html",
        "image/svg+xml",
        "application/javascript",
        "text/html; charset=utf-8",
        "application/xhtml+xml",
    ]
    for mime_type in wanted:
        answer = client.get(path, params={"type": mime_type})
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.headers["content-security-policy"].startswith("sandbox")
    assert client.get(path, params={"type": "image/png"}).headers["content-type"] == "image/png"


def test_an_output_belongs_to_its_notebook(client: httpx.Client, notebook: str) -> None:
    cell = add(client, notebook, f"{LARGE}os.urandom(9000).hex()")
    run(client, notebook)
    [output] = show_cell(client, notebook, cell)["outputs"]
    other = new_notebook(client)
    assert client.get(output["url"].replace(notebook, other)).status_code == 404
    assert client.get(output["url"].replace(notebook, "nowhere")).status_code == 404
    with httpx.Client(base_url=client.base_url) as anonymous:
        assert anonymous.get(output["url"]).status_code == 401


def test_long_printed_text_comes_back_whole(client: httpx.Client, notebook: str) -> None:
    code = "import os, sys\nblob = os.urandom(50_000).hex()\nprint(blob)\nprint(blob[::-1], file=sys.stderr)\nblob[:3]"
    cell = add(client, notebook, code)
    run(client, notebook)
    found = show_cell(client, notebook, cell)
    assert len(found["stdout"]) == len(found["stderr"]) == 100_001
    assert found["stdout"].strip() == found["stderr"].strip()[::-1]
    assert found["outputs"][0]["data"] == repr(found["stdout"][:3])


def test_a_picture_is_the_same_by_address_and_inline(client: httpx.Client, notebook: str) -> None:
    add(client, notebook, "from IPython.display import Image\nimport os")
    code = "Image(b'\\x89PNG\\r\\n\\x1a\\n' + os.urandom({}))"
    small, large = add(client, notebook, code.format(100)), add(client, notebook, code.format(30_000))
    run(client, notebook)
    [inline] = show_cell(client, notebook, small)["outputs"]
    assert inline["mime_type"] == "image/png"
    assert len(base64.b64decode(inline["data"])) == 108
    [by_address] = show_cell(client, notebook, large)["outputs"]
    answer = client.get(by_address["url"])
    assert answer.headers["content-type"] == "image/png"
    assert answer.content.startswith(b"\x89PNG\r\n")
    assert len(answer.content) == 30_008


@pytest.mark.parametrize(
    ("code", "mime_type", "holds"),
    [
        ("import pandas as pd\npd.DataFrame({'town': ['Oslo', 'Rome']})", TABLE, "Oslo"),
        ("from IPython.display import Latex\nLatex('$x^2$')", "text/latex", "$x^2$"),
        ("from IPython.display import Math\nMath('x^2')", "text/latex", "x^2"),
        ("from IPython.display import Markdown\nMarkdown('*hi*')", "text/markdown", "*hi*"),
        ("from IPython.display import JSON\nJSON({'a': [1, None]})", "application/json", '"a"'),
        (
            "from IPython.display import SVG\nSVG('<svg xmlns=\"http://www.w3.org/2000/svg\"/>')",
            "image/svg+xml",
            "<svg",
        ),
        ("'text'", "text/plain", "'text'"),
    ],
)
def test_a_display_has_the_richest_type_of_its_object(
    client: httpx.Client, notebook: str, code: str, mime_type: str, holds: str
) -> None:
    cell = add(client, notebook, code)
    assert run(client, notebook) == {cell: "success"}
    [output] = show_cell(client, notebook, cell)["outputs"]
    assert output["mime_type"] == mime_type
    assert holds in (output["data"] or client.get(output["url"]).text)


def test_charts_are_given_as_data(client: httpx.Client, notebook: str) -> None:
    plotly = add(client, notebook, "import plotly.graph_objects as go\ngo.Figure(go.Scatter(y=[1, 3, 2]))")
    altair = add(
        client,
        notebook,
        "import altair as alt\nalt.Chart(alt.Data(values=[{'a': 1}])).mark_point().encode(x='a:Q')",
    )
    picture = add(client, notebook, "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()")
    assert run(client, notebook) == {plotly: "success", altair: "success", picture: "success"}

    def shown(cell: str) -> tuple[str, bytes]:
        [output] = [each for each in show_cell(client, notebook, cell)["outputs"] if each["mime_type"] != "text/plain"]
        data = output["data"]
        return output["mime_type"], client.get(output["url"]).content if data is None else data.encode()

    mime_type, data = shown(plotly)
    assert mime_type == "application/vnd.plotly.v1+json"
    assert json.loads(data)["data"][0]["type"] == "scatter"
    mime_type, data = shown(altair)
    assert mime_type.startswith("application/vnd.vegalite.v")
    assert json.loads(data)["mark"]["type"] == "point"
    mime_type, data = shown(picture)
    assert mime_type == "image/png"
    assert data.startswith((b"\x89PNG", b"iVBOR"))


def test_a_display_is_updated_by_a_cell_behind_it(client: httpx.Client, notebook: str) -> None:
    """It is the earlier cell's result that changes, also for who opens the notebook later."""
    first = add(client, notebook, "print('kept')\nhandle = display('first', display_id=True)\ndisplay('other')")
    second = add(client, notebook, "for _n in range(500):\n    handle.update(_n)")
    assert run(client, notebook) == {first: "success", second: "success"}
    shown = show_cell(client, notebook, first)
    assert [output["data"] for output in shown["outputs"]] == ["499", "'other'"]
    assert (shown["status"], shown["stdout"]) == ("success", "kept\n")
    assert show_cell(client, notebook, second)["outputs"] == []
    past = client.get(f"/api/notebooks/{notebook}", params={"revision": show(client, notebook)["revision"]}).json()
    assert [output["data"] for output in past["cells"][0]["outputs"]] == ["499", "'other'"]
