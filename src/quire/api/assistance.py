"""Help while somebody writes: completion, hover, the notebook's variables."""

from typing import Annotated, Any, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from quire.api import schemas
from quire.sessions.assisting import StaticHelp, complete, inspect, variables
from quire.sessions.session import Session


class PlaceAsked(schemas.Body):
    """`code` as it is written now, saved or not; `position` in it counts Unicode code points."""

    cell_id: schemas.Id
    code: schemas.Code
    position: Annotated[int, Field(ge=0)]

    @model_validator(mode="after")
    def _inside(self) -> Self:
        if self.position > len(self.code):
            message = "position {position} is behind the end of the code, which has {length} characters"
            raise PydanticCustomError("position", message, {"position": self.position, "length": len(self.code)})
        return self


class CompletionAsked(PlaceAsked):
    """What could stand there?"""


class InspectionAsked(PlaceAsked):
    """What stands there?"""


class VariablesAsked(schemas.Body):
    """What does the kernel hold?"""


async def answer(
    session: Session, help_: StaticHelp, asked: CompletionAsked | InspectionAsked | VariablesAsked
) -> dict[str, Any]:
    """Raises NotAnswered, for variables alone: the rest is answered without a kernel as well."""
    match asked:
        case CompletionAsked():
            return await complete(session, help_, asked.cell_id, asked.code, asked.position)
        case InspectionAsked():
            return await inspect(session, help_, asked.cell_id, asked.code, asked.position)
        case VariablesAsked():
            return await variables(session)
