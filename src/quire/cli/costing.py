"""`quire cost`."""

import textwrap
from typing import Annotated

import typer

from quire import cost as model

_DEFAULTS = model.Workload(users=100, notebooks=10, ops_per_day=20)


def cost(
    users: Annotated[int, typer.Option(min=1, help="People")] = _DEFAULTS.users,
    notebooks: Annotated[int, typer.Option(min=1, help="Notebooks of each user")] = _DEFAULTS.notebooks,
    ops_per_day: Annotated[float, typer.Option(min=0, help="Edits by each user a day")] = _DEFAULTS.ops_per_day,
    notebook_kb: Annotated[float, typer.Option(min=1, help="Size of a notebook, KB")] = _DEFAULTS.notebook_kb,
    edit_kb: Annotated[float, typer.Option(min=0.001, help="Size of an edited cell, KB")] = _DEFAULTS.edit_kb,
    loads_per_day: Annotated[
        float, typer.Option(min=0, help="Notebooks opened by each user")
    ] = _DEFAULTS.loads_per_day,
    packed: Annotated[float, typer.Option(min=0.01, max=1, help="What compression leaves of text")] = _DEFAULTS.packed,
    months: Annotated[int, typer.Option(min=1, help="The month to reckon: history grows")] = _DEFAULTS.months,
    backups: Annotated[bool, typer.Option("--backups", help="With point-in-time recovery")] = False,  # noqa: FBT002  a flag
) -> None:
    """Reckon what a month on AWS costs: Quire, and one item for each notebook."""
    workload = model.Workload(
        users=users,
        notebooks=notebooks,
        ops_per_day=ops_per_day,
        notebook_kb=notebook_kb,
        edit_kb=edit_kb,
        loads_per_day=loads_per_day,
        packed=packed,
        months=months,
    )
    for line in report(workload, backups=backups):
        typer.echo(line)


def report(workload: model.Workload, *, backups: bool) -> list[str]:
    """The lines that `quire cost` prints."""
    ours, plain = model.quire_usage(workload), model.plain_usage(workload)
    bills = [
        None if usage is None else model.bill(usage, prices, backups=backups)
        for usage in (ours, plain)
        for prices in (model.CURRENT, model.FORMER)
    ]
    parts = ("writes", "reads", "storage", "s3", *(("backups",) if backups else ()), "total")
    per_edit = "-" if plain is None else f"{model.plain_edit_units(workload):,g}"
    return [
        *_wrapped(_subject(workload)),
        "",
        _row("$", "Quire", "Quire", "one item", "one item"),
        _row("", "current", "former", "current", "former"),
        *(_row(part, *("-" if one is None else f"{getattr(one, part):,.2f}" for one in bills)) for part in parts),
        "",
        _row("write units per edit", f"{model.edit_units(workload):.2f}", "", per_edit),
        _row("write units", f"{ours.write_units:,.0f}", "", "-" if plain is None else f"{plain.write_units:,.0f}"),
        _row("read units", f"{ours.read_units:,.0f}", "", "-" if plain is None else f"{plain.read_units:,.0f}"),
        _row("GB stored", f"{ours.stored_gb:,.2f}", "", "-" if plain is None else f"{plain.stored_gb:,.2f}"),
        "",
        *_wrapped(_assumptions(workload)),
        *(["- One item cannot hold such a notebook: DynamoDB stops at 400 KB."] if plain is None else []),
    ]


def _subject(workload: model.Workload) -> str:
    return f"""\
{workload.users:,} users with {workload.notebooks:,} notebooks of {workload.notebook_kb:g} KB each; every user makes
{workload.ops_per_day:g} edits of {workload.edit_kb:g} KB and opens {workload.loads_per_day:g} notebooks a day.
US dollars for month {workload.months}, on demand, us-east-1."""


def _assumptions(workload: model.Workload) -> str:
    """What the figures rest on."""
    log = model.Log.of(workload)
    where = "a blob in S3" if log.checkpoint_in_blob else f"about {log.checkpoint_bytes / 1024:.0f} write units"
    now, former = model.CURRENT, model.FORMER
    return f"""\
Assumed:

- DynamoDB: ${now.writes:g} a million write units and ${now.reads:g} a million read units since November 2024,
${former.writes:g} and ${former.reads:g} before; ${now.stored:.2f} a GB and month, of which the first 25, which are
free, are not deducted; backups (point-in-time recovery) ${now.backups:.2f} a GB and month.

- S3: ${now.s3_stored:g} a GB and month, ${now.s3_puts:g} for 1,000 puts, ${now.s3_gets:g} for 1,000 gets.

- Quire, edits: one record of {log.record_bytes:,.0f} bytes, text compressed to {workload.packed:.0%}; one refresh of
the header (1 unit), though edits within 2 s share it; a checkpoint, {where}, every {log.commits_between} commits of a
notebook.

- Quire, loads: {log.load_units:,g} read units at the mean distance from a checkpoint. History is kept for ever: the
storage is that of {workload.months} months.

- One item: put as a whole on each edit, with an index that projects ALL; read at half the price (eventually
consistent), and never before an edit.

- Each load goes with one list of the user's notebooks. Only edits are counted: results of runs are further commits, or
further puts. No traffic, no servers."""


def _wrapped(text: str) -> list[str]:
    """The paragraphs of `text` as lines; those of a list are indented."""
    return [
        line
        for paragraph in text.split("\n\n")
        for line in textwrap.wrap(paragraph, 100, subsequent_indent="  " if paragraph.startswith("- ") else "")
    ]


def _row(name: str, *values: str) -> str:
    return (f"{name:<22}" + "".join(f"{value:>14}" for value in values)).rstrip()
