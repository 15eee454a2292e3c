"""`quire gc`."""

import sys
import time
from typing import Annotated

import typer

from quire.api.requests import Services
from quire.cli.options import Blobs, Store, fail, with_services
from quire.maintenance.gc import Policy, Report, collect
from quire.sessions.clock import now_ms

PROGRESS_S = 5.0
LEFT_ALONE_SHOWN_MAX = 20

DryRun = Annotated[bool, typer.Option("--dry-run", help="Change nothing; say what would be done")]
IdleDays = Annotated[
    int | None,
    typer.Option(
        "--trash-idle-days",
        min=1,
        envvar="QUIRE_TRASH_IDLE_DAYS",
        help="Also move notebooks to the trash that were not used for so many days",
    ),
]


def collect_garbage(
    store: Store = None,
    blobs: Blobs = None,
    dry_run: DryRun = False,  # noqa: FBT002  a flag
    trash_idle_days: IdleDays = None,
) -> None:
    """Empty the trash of what is in it for 30 days, and remove data that nothing needs any more."""
    policy = Policy(now_ms(), dry_run, trash_idle_days or 0)
    shown_at = time.monotonic()
    reports: list[Report] = []

    def told(report: Report) -> None:
        nonlocal shown_at
        if time.monotonic() - shown_at >= PROGRESS_S:
            shown_at = time.monotonic()
            typer.echo(f"{report.notebooks:,} notebooks", err=True)

    async def run(services: Services) -> None:
        reports.append(await collect(services.registry.environment, policy, told))

    with_services(run, store=store, blobs=blobs)
    (report,) = reports
    for line in _lines(report, dry_run=dry_run):
        typer.echo(line)
    for log_id, reason in list(report.left_alone.items())[:LEFT_ALONE_SHOWN_MAX]:
        typer.echo(f"left alone {log_id}: {reason}", err=True)
    sys.stdout.flush()
    if report.left_alone:
        fail(f"{len(report.left_alone):,} of {report.notebooks:,} notebooks could not be looked after")


def _lines(report: Report, *, dry_run: bool) -> list[str]:
    would = "would be " if dry_run else ""
    done = [
        ("moved to the trash", report.trashed),
        ("marked for erasing in a day", report.purging),
        ("erased", report.erased),
    ]
    lines = [f"{would}{what}: {log_id}" for what, log_ids in done for log_id in sorted(log_ids)]
    counts = ", ".join(f"{len(log_ids):,} {would}{what}" for what, log_ids in done)
    older = f", {report.older:,} in an older layout left as they are" if report.older else ""
    blobs = f"{report.blobs:,} blobs of {report.blob_bytes:,} bytes {would}removed"
    return [*lines, f"{report.notebooks:,} notebooks: {counts}{older}; {blobs}"]
