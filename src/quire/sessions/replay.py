"""What a client missed, as the commits that it would have been told."""

from quire.notebook.fold import apply
from quire.notebook.model import Notebook
from quire.sessions.errors import RevisionNotFound
from quire.sessions.events import Committed
from quire.sessions.names import NameIndex
from quire.sessions.session import Session


async def replay(session: Session, since: int, until: Notebook) -> list[Committed] | None:
    """The commits after `since` up to the state `until`; None if the log cannot give them.

    Raises:
        NotSaved: the store does not answer.
    """
    if since == until.revision:
        return []
    try:
        state = await session.state_at(since)
    except RevisionNotFound:
        return None
    commits = await session.commits(before=until.revision + 1, limit=until.revision - since)
    names = await NameIndex.of(state)
    missed: list[Committed] = []
    for commit in reversed(commits):
        graph_before, before = names.graph, state
        state = apply(before, commit)
        missed.append(Committed(before, state, commit, graph_before, names.update(state)))
    return missed
