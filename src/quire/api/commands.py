"""What a client may send over the WebSocket: the same edits as REST, with the same limits."""

import json
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from quire.api import assistance, schemas, tables
from quire.api.cells import refuse_sql
from quire.api.problems import validation_problem
from quire.api.requests import make_origin
from quire.auth.principal import Principal
from quire.notebook.ids import new_cell_id
from quire.notebook.model import CellType
from quire.sessions.assisting import StaticHelp
from quire.sessions.cell_intents import Anchor, ConfigureCell, DeleteCell, EditCell, InsertCell, MoveCell
from quire.sessions.intents import Intent, Origin
from quire.sessions.notebook_intents import Configure, Rename, Restore
from quire.sessions.registry import Registry
from quire.sessions.session import Session

Answer = dict[str, Any]


class Command(schemas.Body):
    """`id` comes back with the answer; `key` is the Idempotency-Key."""

    id: Annotated[str, Field(max_length=100)]
    key: Annotated[str, Field(max_length=255)] = ""


class InsertCommand(Command):
    type: Literal["insert_cell"]
    cell_type: CellType
    code: schemas.Code = ""
    after_cell_id: schemas.Id | None = None
    cell_id: schemas.NewCellId | None = None


class EditCommand(Command):
    type: Literal["edit_cell"]
    cell_id: schemas.Id
    code: schemas.Code
    cell_type: CellType | None = None
    expected_revision: schemas.Revision | None = None


class DeleteCommand(Command):
    type: Literal["delete_cell"]
    cell_id: schemas.Id
    expected_revision: schemas.Revision | None = None


class MoveCommand(Command):
    type: Literal["move_cell"]
    cell_id: schemas.Id
    after_cell_id: schemas.Id | None


class ConfigureCellCommand(Command):
    type: Literal["configure_cell"]
    cell_id: schemas.Id
    config: schemas.NewCellConfig


class RenameCommand(Command):
    type: Literal["rename"]
    name: schemas.Name


class ConfigureCommand(Command, schemas.NewSettings):
    type: Literal["configure"]


class RunCommand(Command, schemas.NewRun):
    type: Literal["run"]


class InterruptCommand(Command):
    type: Literal["interrupt"]


class RestartCommand(Command):
    type: Literal["restart"]


class RestoreCommand(Command, schemas.NewRestore):
    type: Literal["restore"]


class TablePageCommand(Command, tables.PageAsked):
    type: Literal["table_page"]


class TableColumnCommand(Command, tables.ColumnAsked):
    type: Literal["table_column"]


class CompleteCommand(Command, assistance.CompletionAsked):
    type: Literal["complete"]


class InspectCommand(Command, assistance.InspectionAsked):
    type: Literal["inspect"]


class VariablesCommand(Command, assistance.VariablesAsked):
    type: Literal["variables"]


AnyCommand = (
    InsertCommand
    | EditCommand
    | DeleteCommand
    | MoveCommand
    | ConfigureCellCommand
    | RenameCommand
    | ConfigureCommand
    | RunCommand
    | InterruptCommand
    | RestartCommand
    | RestoreCommand
    | TablePageCommand
    | TableColumnCommand
    | CompleteCommand
    | InspectCommand
    | VariablesCommand
)
_commands: TypeAdapter[AnyCommand] = TypeAdapter(Annotated[AnyCommand, Field(discriminator="type")])


class Commands:
    """Carries out one client's messages on one session."""

    def __init__(self, registry: Registry, session: Session, principal: Principal, help_: StaticHelp) -> None:
        self._registry = registry
        self._help = help_
        self._session = session
        self._principal = principal

    @staticmethod
    def id_of(text: str) -> str | None:
        """The `id` of a message that may be wrong otherwise, by a reader that takes lone surrogates and NaN too."""
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            return None
        found = message.get("id") if isinstance(message, dict) else None
        return found if isinstance(found, str) and found.isprintable() else None

    def parse(self, text: str) -> tuple[str, Awaitable[Answer]]:
        """The message's id, and what will carry it out. Raises Problem."""
        try:
            command = _commands.validate_json(text)
        except ValidationError as error:
            raise validation_problem(error.errors()) from error
        # The id names one message of one connection; it is not part of what is asked for.
        content = command.model_dump_json(exclude={"id", "key"}).encode()
        path = f"/api/ws/notebooks/{self._session.state.notebook_id}"
        origin = make_origin(self._principal.user_id, "WS", path, command.key, content)
        return command.id, self._carry_out(command, origin)

    def _carry_out(self, command: AnyCommand, origin: Origin) -> Awaitable[Answer]:
        match command:
            case RenameCommand():
                return self._rename(Rename(origin, command.name))
            case RunCommand():
                return self._run(command, origin)
            case RestoreCommand():
                return self._restore(command, origin)
            case InterruptCommand():
                return self._plain(self._session.interrupt)
            case RestartCommand():
                return self._plain(self._session.restart)
            case TablePageCommand() | TableColumnCommand():
                return tables.answer(self._session, command)
            case CompleteCommand() | InspectCommand() | VariablesCommand():
                return assistance.answer(self._session, self._help, command)
            case _:
                return self._submit(_intent(command, origin))

    async def _submit(self, intent: Intent) -> Answer:
        receipt = await self._session.submit(intent)
        return {**receipt.answer, "revision": receipt.revision}

    async def _rename(self, intent: Rename) -> Answer:
        receipt = await self._registry.rename(self._session, intent)
        return {"revision": receipt.revision}

    async def _run(self, command: RunCommand, origin: Origin) -> Answer:
        """After the edits that this client sent before, which are in the writer's queue by now."""
        await self._session.settle()
        run = self._session.run(command.wanted, key=origin.key, request_hash=origin.request_hash)
        return {"run_id": run.run_id}

    async def _restore(self, command: RestoreCommand, origin: Origin) -> Answer:
        await self._session.refresh()
        then = await self._session.state_at(command.revision)
        return await self._submit(Restore(origin, then, command.expected_revision))

    async def _plain(self, action: Callable[[], Awaitable[None]]) -> Answer:
        await action()
        return {}


def _intent(
    command: InsertCommand | EditCommand | DeleteCommand | MoveCommand | ConfigureCellCommand | ConfigureCommand,
    origin: Origin,
) -> Intent:
    match command:
        case InsertCommand():
            refuse_sql(command.cell_type)
            return InsertCell(
                origin,
                command.cell_type,
                command.code,
                Anchor(command.after_cell_id),
                last="after_cell_id" not in command.model_fields_set,
                cell_id=command.cell_id or new_cell_id(),
            )
        case EditCommand():
            refuse_sql(command.cell_type)
            return EditCell(origin, command.cell_id, command.code, command.cell_type, command.expected_revision)
        case DeleteCommand():
            return DeleteCell(origin, command.cell_id, command.expected_revision)
        case MoveCommand():
            return MoveCell(origin, command.cell_id, Anchor(command.after_cell_id))
        case ConfigureCellCommand():
            config = command.config
            return ConfigureCell(origin, command.cell_id, config.disabled, config.code_hidden, config.output_hidden)
        case ConfigureCommand():
            return Configure(origin, command.run_mode)
