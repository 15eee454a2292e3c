"""Hypothesis strategies: arbitrary values of every stored type, and logs that a notebook could really have."""

from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import strategies as st

from quire.notebook import changes as ch
from quire.notebook.model import Cell, CellConfig, CellError, Output, Result, Settings, code_hash_of

TRICKY_TEXT = (
    "",
    "\0",
    "a\0b",
    "😀",
    "\u2028\u2029",
    "\ufeff",
    "\ufffd",
    "\r\n",
    '"\\/',
    "</script>",
    "\x7f",
    "e\u0301",
)
TRICKY_INTEGERS = (0, 1, -1, 2**53 - 1, 2**53, 2**53 + 1, 2**63 - 1, -(2**63))

texts = st.text(max_size=12) | st.sampled_from(TRICKY_TEXT)
"""Without lone surrogates, which no JSON can carry."""
integers = st.integers(-(2**63), 2**63 - 1) | st.sampled_from(TRICKY_INTEGERS)


def values_of(type_: Any) -> st.SearchStrategy[Any]:
    """Arbitrary values of a stored type, by its own definition: a field added to the model is tested at once."""
    return _values(msgspec.inspect.type_info(type_))


def _values(info: msgspec.inspect.Type) -> st.SearchStrategy[Any]:
    match info:
        case msgspec.inspect.StrType():
            return texts
        case msgspec.inspect.IntType():
            return integers
        case msgspec.inspect.BoolType():
            return st.booleans()
        case msgspec.inspect.NoneType():
            return st.none()
        case msgspec.inspect.LiteralType():
            return st.sampled_from(info.values)
        case msgspec.inspect.VarTupleType():
            return st.lists(_values(info.item_type), max_size=3).map(tuple)
        case msgspec.inspect.DictType():
            return st.dictionaries(_values(info.key_type), _values(info.value_type), max_size=3)
        case msgspec.inspect.UnionType():
            return st.one_of([_values(member) for member in info.types])
        case msgspec.inspect.StructType():
            return st.builds(info.cls, **{field.name: _values(field.type) for field in info.fields})
        case _:
            raise NotImplementedError(f"no strategy for {info}")


commits = st.builds(
    ch.Commit,
    revision=st.integers(1, 2**63 - 1),
    commit_id=texts,
    changes=st.lists(values_of(ch.Change), min_size=1, max_size=4).map(tuple),
)

# -- logs: few cells and few texts, so that changes meet

CELL_IDS = ("a", "b", "c", "d", "e")
CODES = ("", "x = 1", "y = x")
HOUR_MS = 3600 * 1000

_cell_ids = st.sampled_from(CELL_IDS)
_anchors = st.none() | st.sampled_from((*CELL_IDS, "nowhere"))
_codes = st.sampled_from(CODES)
_types = st.sampled_from(("python", "sql", "markdown"))
_epochs = st.integers(0, 3)
_at = st.integers(0, 80).map(lambda hours: 1_795_400_000_000 + hours * HOUR_MS)
_hashes = st.builds(code_hash_of, st.just("python"), _codes)
_configs = st.builds(CellConfig, disabled=st.booleans())
_settings = st.builds(Settings, run_mode=st.sampled_from(("automatic", "lazy")))
_errors = st.none() | st.builds(CellError, name=st.sampled_from(("ValueError", "Blocked")))
_outputs = st.lists(st.builds(Output, mime_type=st.just("text/plain"), data=texts), max_size=2).map(tuple)
_names = st.sampled_from(("one", "two"))
_idempotency = st.none() | st.builds(
    ch.Idempotency, key=st.sampled_from(("k1", "k2", "k3")), request_hash=st.sampled_from(("h1", "h2"))
)
_results = st.none() | st.builds(
    Result, run_id=st.just("r0"), epoch=st.just(0), code_hash=_hashes, revision=st.just(1), outputs=_outputs
)
_cells = st.lists(
    st.builds(
        Cell,
        cell_id=_cell_ids,
        type=_types,
        code=_codes,
        code_revision=st.just(1),
        status=st.sampled_from(("idle", "success", "stale")),
        stale_since=st.integers(0, 1),
        result=_results,
        config=_configs,
    ),
    unique_by=lambda cell: cell.cell_id,
    max_size=5,
).map(tuple)


def _by(target: Callable[..., ch.Change], **fields: Any) -> st.SearchStrategy[ch.Change]:
    return st.builds(target, author=st.sampled_from(("ann", "bob")), at=_at, idempotency=_idempotency, **fields)


creations = _by(
    ch.NotebookCreated,
    notebook_id=st.just("n"),
    user_id=st.just("ann"),
    name=_names,
    cells=_cells,
    settings=_settings,
)


def later_changes(groups: int) -> st.SearchStrategy[ch.Change]:
    """Any change but the first one; runs are planned on the revision of one of `groups` commits."""
    statuses = st.sampled_from(("idle", "stale", "blocked", "error", "queued", "running"))
    marked = st.lists(st.sampled_from((*CELL_IDS, "nowhere")), max_size=4).map(tuple)
    return st.one_of(
        _by(ch.NotebookRenamed, name=_names),
        _by(ch.NotebookConfigured, settings=_settings),
        _by(ch.NotebookDeleted),
        _by(ch.NotebookUndeleted),
        _by(ch.NotebookPurging),
        _by(ch.NotebookRestored, from_revision=st.just(1), name=_names, settings=_settings, cells=_cells),
        _by(ch.CellInserted, cell_id=_cell_ids, type=_types, code=_codes, after_cell_id=_anchors, config=_configs),
        _by(ch.CellEdited, cell_id=_cell_ids, code=_codes, type=_types),
        _by(ch.CellMoved, cell_id=_cell_ids, after_cell_id=_anchors),
        _by(ch.CellDeleted, cell_id=_cell_ids),
        _by(ch.CellConfigured, cell_id=_cell_ids, config=_configs),
        _by(ch.CellsMarked, cell_ids=marked, status=statuses, error=_errors),
        _by(
            ch.CellRan,
            cell_id=_cell_ids,
            run_id=st.sampled_from(("r1", "r2")),
            epoch=_epochs,
            code_hash=_hashes,
            base_revision=st.integers(0, groups),
            status=st.sampled_from(("running", "success", "error")),
            stdout=texts,
            outputs=_outputs,
            error=_errors,
        ),
        _by(ch.KernelOwned, epoch=_epochs, instance=st.sampled_from(("i1", "i2"))),
    )


@st.composite
def grouped_changes(draw: st.DrawFn) -> list[list[ch.Change]]:
    """The changes of a log, commit by commit; the first one creates the notebook."""
    groups = draw(st.integers(1, 8))
    changes = later_changes(groups)
    log = [draw(st.lists(changes, min_size=0 if number == 0 else 1, max_size=6)) for number in range(groups)]
    log[0].insert(0, draw(creations))
    return log
