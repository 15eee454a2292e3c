"""The kernel: ipykernel's, with its streams, displays and interrupts made ours."""

import builtins
import faulthandler
import getpass
import json
import os
import sys
from pathlib import Path
from typing import Any, NoReturn, TypedDict

from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from ipykernel.zmqshell import ZMQInteractiveShell
from traitlets import Type

from . import integrations, lifeline, orphans, priority, streams
from .assistance import Assistance
from .commands import run_command
from .display import CellDisplayFormatter, CellDisplayHook, CellDisplayPublisher
from .errors import Describer
from .interrupts import Interrupts
from .memory import MemoryLimit
from .plan import PlanRunner
from .questions import Questions
from .recorder import Limits, Recorder
from .tables import Tables

TOPIC = b"quire"
_HISTORY_NAMES = ("In", "Out", "_", "__", "___", "_i", "_ii", "_iii")
"""What IPython remembers of earlier cells: a cell must not depend on what happened to run before it."""
MESSAGE_TYPE = "quire_events"
"""The message on IOPub that carries a batch."""


class Options(TypedDict):
    """What the server passes to `launch.py`."""

    connection_file: str
    lifeline: int
    """A descriptor, to be watched."""
    memory_bytes: int
    nice: int
    limits: dict[str, int]


class NotebookShell(ZMQInteractiveShell):
    """Shows through the recorder; errors outside of a cell's own code are printed."""

    display_pub_class = Type(CellDisplayPublisher)
    displayhook_class = Type(CellDisplayHook)

    def init_display_formatter(self) -> None:
        """Make the formatter ours."""
        self.display_formatter = CellDisplayFormatter(parent=self)
        configurables: list[Any] = self.configurables
        configurables.append(self.display_formatter)

    def _showtraceback(self, etype: Any, evalue: Any, stb: list[str]) -> None:  # noqa: ARG002 - IPython's signature
        sys.stderr.write("\n".join(stb) + "\n")

    def system(self, cmd: str) -> None:
        """Run a `!command`."""
        run_command(self, cmd)

    system_piped = system

    def ask_exit(self) -> NoReturn:
        raise SystemExit


class NotebookKernel(IPythonKernel):
    """Runs plans: execute requests whose metadata say so."""

    shell_class = Type(NotebookShell)
    runner: PlanRunner
    questions: Questions

    def pre_handler_hook(self) -> None:
        """Leave SIGINT to `Interrupts`: ipykernel would let it raise anywhere."""

    def post_handler_hook(self) -> None:
        """See `pre_handler_hook`."""

    async def do_execute(
        self,
        code: str,
        silent: bool,  # noqa: FBT001 - ipykernel's signature
        *args: Any,
        cell_meta: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Run a plan, or code as any Jupyter front end sends it."""
        if not (cell_meta or {}).get("quire_plan"):
            do_execute: Any = super().do_execute
            reply: dict[str, Any] = await do_execute(code, silent, *args, cell_meta=cell_meta, **kwargs)
            return reply
        await self.runner.run(json.loads(code))
        return {"status": "ok", "execution_count": 0, "user_expressions": {}, "payload": []}

    def answer(self, stream: Any, identities: Any, message: Any) -> None:
        """Answer a question of the server's about the values in the namespace."""
        session: Any = self.session
        session.send(stream, "quire_answer", self.questions.answer(message["content"]), message, ident=identities)


class NotebookApp(IPKernelApp):
    """Starts a kernel on sockets that never drop a message."""

    def init_iopub(self, context: Any) -> None:
        # A batch must not be lost because the server is slow for a moment.
        context.sndhwm = 0
        super().init_iopub(context)  # type: ignore[no-untyped-call]  # ipykernel has no types here

    def init_signal(self) -> None:
        """Leave SIGINT to `Interrupts`."""


def start(options: Options) -> None:
    """Run the kernel until its end."""
    lifeline.hold(options["lifeline"], Path(options["connection_file"]).parent)
    priority.yield_to_others(options["nice"])
    orphans.adopt()
    interrupts = Interrupts()
    interrupts.install()
    # The debugger is of no use here, and importing it takes longer than all the rest.
    sys.modules["debugpy"] = None  # type: ignore[assignment]  # None: importing it raises ImportError
    app: Any = NotebookApp.instance(kernel_class=NotebookKernel, outstream_class=None)
    app.initialize(
        [
            f"--IPKernelApp.connection_file={options['connection_file']}",
            "--HistoryManager.enabled=False",
            "--Kernel._execute_sleep=0",
            # Twice the pixels, with the size that they are meant for.
            "--InlineBackend.figure_formats=retina",
        ]
    )
    del sys.modules["debugpy"]
    kernel = app.kernel
    limits = Limits(**options["limits"])

    def send(batch: bytes) -> None:
        kernel.session.send(kernel.iopub_socket, MESSAGE_TYPE, batch, ident=TOPIC)

    recorder = Recorder(send, limits, interrupts)
    descriptors = streams.FileDescriptors(recorder)
    last_words = os.fdopen(descriptors.original_stderr, "w", buffering=1)
    faulthandler.enable(last_words)
    for handler in app.log.handlers:
        handler.setStream(last_words)
    stdout, stderr = streams.install(recorder, descriptors)

    def prepare_streams() -> None:
        sys.stdout, sys.stderr = stdout, stderr

    prepare_streams()
    _prepare_shell(kernel.shell, recorder)
    tables = kernel.shell.display_formatter.tables = Tables(recorder.cell_id)
    kernel.runner = PlanRunner(
        kernel.shell,
        recorder,
        interrupts,
        Describer(kernel.shell, options["memory_bytes"]),
        MemoryLimit(options["memory_bytes"]),
        prepare_streams,
        descriptors.drain,
        tables.forget,
    )
    assistance = Assistance(kernel.shell)
    kernel.questions = Questions(
        interrupts,
        {
            **tables.handlers(),
            "complete": assistance.complete,
            "inspect": assistance.inspect,
            "variables": kernel.runner.variables.list,
        },
    )
    kernel.shell_handlers["quire_question"] = kernel.answer
    integrations.install()
    app.start()


def _prepare_shell(shell: Any, recorder: Recorder) -> None:
    shell.display_pub.recorder = recorder
    # Python's own `exit` raises SystemExit; IPython's would stop the kernel.
    shell.builtin_trap.auto_builtins = {"get_ipython": shell.get_ipython}
    for name in ("exit", "quit", *_HISTORY_NAMES):
        shell.user_ns.pop(name, None)
    builtins.input = streams.refuse_input
    getpass.getpass = streams.refuse_input
