"""The house in order: what no linter checks."""

import ast
import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70

ENTRY_POINTS = {
    "quire.cli.main",
    "quire.__main__",
    "quire.kernels.bootstrap.launch",
    "quire.kernels.bootstrap.app",
    "quire.kernels.bootstrap.zygote",
    "quire.kernels.bootstrap.reader",
}
"""Started as programs, so nothing imports them; the last four in the kernel's process, under another name."""

CONTRACTS = ("quire.blobs.contract", "quire.storage.contract")
"""Tests that are shipped, for people who write engines: imported by tests only, which tests/test_layers.py checks."""

SLEEPS_IN_A_THREAD = {
    "src/quire/storage/sqlite_connection.py": "SQLite's busy retry, in the writer's own thread",
    "src/quire/kernels/bootstrap/recorder.py": "paces a thread inside of the kernel's process",
}
"""Where `time.sleep` cannot stop the event loop."""

NOT_PROVABLE_YET = {
    "W8": "no engine that could let a record expire is there yet",
}
"""Rules of SPEC.md that no test can prove so far, and why."""

PRUNED = {"__pycache__", "node_modules", "web_dist", "dist", "results"}
DOTTED_BUT_OURS = {".ci", ".github", ".gitignore", ".editorconfig", ".importlinter", ".gitattributes"}
GENERATED = {"package-lock.json", "requirements.lock"}

GRAB_BAGS = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}
REGISTRY_HOSTS = [
    ".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("yarnpkg", "com"))
]
HOME = re.compile(r"(?<![\w.$}~])/(?:root|home/(?!quire\b|alice\b)\w+|Users/\w+)/")
"""Somebody's home folder; `quire` is the user of our own container image, `alice` that of our examples."""
NOTES = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3)) + r")\b")
JUSTIFIED = {
    "noqa": re.compile(r"# noqa: [A-Z]+\d+(?:, ?[A-Z]+\d+)*\W+.*\w{3,}"),
    "type: ignore": re.compile(r"# type: ignore\[[\w, -]+\]  # .*\w{3,}|# type: ignore\[[\w, -]+\] +- .*\w{3,}"),
    "@ts-expect-error": re.compile(r"@ts-expect-error\W+\w{2,}"),
    "eslint-disable": re.compile(r"eslint-disable[\w-]* [\w@/-]+ -- \w{2,}"),
}
"""Exceptions from a check name the check and the reason."""

RULE = re.compile(r"(?<![A-Za-z0-9])([BCEHIRW]\d)(?![A-Za-z0-9])")
CITED = re.compile(r"\(((?:[BCEHIRW]\d(?:, | and )?)+)\)")


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def all_files() -> tuple[Path, ...]:
    """What belongs to the repository, whether it is committed already or not."""
    found: list[Path] = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [n for n in folders if n not in PRUNED and (not n.startswith(".") or n in DOTTED_BUT_OURS)]
        found.extend(Path(folder, n) for n in names if not n.startswith(".") or n in DOTTED_BUT_OURS)
    return tuple(sorted(found))


def files(*folders: str, suffixes: tuple[str, ...]) -> list[Path]:
    wanted = tuple(f"{folder}/" for folder in folders)
    return [path for path in all_files() if path.suffix in suffixes and relative(path).startswith(wanted)]


def sources() -> list[Path]:
    """Our own Python and TypeScript."""
    return [
        *files("src/quire", "tests", "bench", suffixes=(".py",)),
        *files("web/src", "web/tests", suffixes=(".ts", ".tsx", ".css")),
    ]


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def test_there_is_something_to_check() -> None:
    assert len(files("src/quire", suffixes=(".py",))) > 20
    assert len(files("tests", suffixes=(".py",))) > 5


def test_no_file_is_too_long() -> None:
    lengths = {relative(path): len(path.read_text("utf-8").splitlines()) for path in sources()}
    assert {name: length for name, length in lengths.items() if length > FILE_LINES_MAX} == {}


def test_no_function_is_too_long() -> None:
    too_long = {
        f"{relative(path)}:{node.lineno} {node.name}": length
        for path in files("src", "tests", "bench", suffixes=(".py",))
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES_MAX
    }
    assert too_long == {}


def test_no_file_is_a_grab_bag() -> None:
    assert [relative(path) for path in all_files() if path.name.split(".")[0].lower() in GRAB_BAGS] == []


def _called(node: ast.Call) -> str:
    return ast.unparse(node.func)


def _swallows(node: ast.AST) -> bool:
    """A handler of everything that does nothing, or one that does not even say what it handles."""
    if isinstance(node, ast.Call) and _called(node) in {"suppress", "contextlib.suppress"}:
        return any(ast.unparse(argument) in {"Exception", "BaseException"} for argument in node.args)
    if not isinstance(node, ast.ExceptHandler):
        return False
    idle = all(isinstance(step, ast.Pass | ast.Continue) or _is_text(step) for step in node.body)
    return node.type is None or (idle and ast.unparse(node.type) in {"Exception", "BaseException"})


def _is_text(step: ast.stmt) -> bool:
    return isinstance(step, ast.Expr) and isinstance(step.value, ast.Constant)


def _banned(path: Path, node: ast.AST) -> str:
    match node:
        case ast.Call() if _called(node) == "print":
            return "print: log it, or return it"
        case ast.Call() if _called(node) == "asyncio.get_event_loop":
            return "asyncio.get_event_loop: get_running_loop"
        case ast.Call() if _called(node) == "time.sleep" and relative(path) not in SLEEPS_IN_A_THREAD:
            return "time.sleep stops the event loop"
        case ast.Import() if any(name.name.split(".")[0] == "requests" for name in node.names):
            return "requests stops the event loop"
        case _ if _swallows(node):
            return "an exception is swallowed"
        case _:
            return ""


def test_src_does_nothing_that_is_banned() -> None:
    found = [
        f"{relative(path)}:{getattr(node, 'lineno', 0)} {reason}"
        for path in files("src", suffixes=(".py",))
        for node in ast.walk(tree_of(path))
        if (reason := _banned(path, node))
    ]
    assert found == []


def test_no_test_waits_a_fixed_time() -> None:
    """`asyncio.sleep(0)` and short pauses within a polling loop are fine; the latter stand in a `while` or `for`."""
    found = []
    for path in files("tests", suffixes=(".py",)):
        polled = {
            id(node)
            for loop in ast.walk(tree_of(path))
            if isinstance(loop, ast.While | ast.For | ast.AsyncFor)
            for node in ast.walk(loop)
        }
        found += [
            f"{relative(path)}:{node.lineno}"
            for node in ast.walk(tree_of(path))
            if isinstance(node, ast.Call)
            and _called(node) in {"time.sleep", "asyncio.sleep"}
            and id(node) not in polled
            and ast.unparse(node.args[0]) != "0"
        ]
    assert found == []


def lines() -> Iterator[tuple[str, str]]:
    """Every line of every text file, with the place where it stands."""
    for path in all_files():
        if path.name in GENERATED:
            continue
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), start=1):
            yield f"{relative(path)}:{number}", line


def test_nothing_is_left_to_be_done() -> None:
    assert [place for place, line in lines() if NOTES.search(line)] == []


def test_nothing_names_a_registry_or_a_home_folder() -> None:
    found = [place for place, line in lines() if HOME.search(line) or any(host in line for host in REGISTRY_HOSTS)]
    locks = [path for path in all_files() if path.name in GENERATED]
    found += [relative(path) for path in locks if any(host in path.read_text("utf-8") for host in REGISTRY_HOSTS)]
    assert found == []


@pytest.mark.parametrize("marker", JUSTIFIED)
def test_exceptions_from_a_check_have_a_code_and_a_reason(marker: str) -> None:
    prefix = "# " if marker in {"noqa", "type: ignore"} else ""
    unjustified = [
        f"{relative(path)}:{number} {line.strip()}"
        for path in [*sources(), ROOT / "hatch_build.py"]
        if path != Path(__file__)
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if prefix + marker in line and not JUSTIFIED[marker].search(line)
    ]
    assert unjustified == []


# -- dead files


def _module_of(path: Path) -> str:
    parts = path.relative_to(ROOT / "src").with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports_of(path: Path) -> set[str]:
    """Modules that a file imports, or names in a text (a module that is run in another process, say)."""
    found: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found.update(name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = path.relative_to(ROOT / "src").parts[: -node.level] if node.level else ()
            module = ".".join((*package, *filter(None, [node.module])))
            found.add(module)
            found.update(f"{module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("quire."):
            found.add(node.value)
    return found


def test_every_module_is_imported_by_another() -> None:
    modules = {_module_of(path): path for path in files("src", suffixes=(".py",)) if path.name != "__init__.py"}
    imported = set()
    for path in files("src", suffixes=(".py",)):
        imported |= _imports_of(path) - {_module_of(path)}
    dead = set(modules) - imported - ENTRY_POINTS
    by_tests = {name for path in files("tests", suffixes=(".py",)) for name in _imports_of(path)}
    assert sorted(name for name in dead if not (name.startswith(CONTRACTS) and name in by_tests)) == []


def test_every_file_of_the_page_is_imported_by_another() -> None:
    page = files("web/src", suffixes=(".ts", ".tsx", ".css"))
    imported = set()
    for path in page:
        for specifier in re.findall(r"""(?:from|import|import\()\s*["'](\.[^"']+)["']""", path.read_text("utf-8")):
            target = Path(os.path.normpath(path.parent / specifier))
            imported |= {target, target.with_suffix(""), Path(f"{target}/index")}
    dead = [
        relative(path)
        for path in page
        if not {path, path.with_suffix("")} & imported and path.stem != "main" and not path.name.endswith(".d.ts")
    ]
    assert dead == []


# -- rules


def spec_rules() -> list[str]:
    return re.findall(r"^\*\*([A-Z]\d) ", (ROOT / "SPEC.md").read_text("utf-8"), flags=re.MULTILINE)


@cache
def proved_rules() -> frozenset[str]:
    """The rules that the name or docstring of some test carries, those of the shipped contracts included."""
    found: set[str] = set()
    contracts = [path for path in files("src", suffixes=(".py",)) if _module_of(path).startswith(CONTRACTS)]
    for path in [*files("tests", suffixes=(".py",)), *contracts]:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                found.update(RULE.findall(node.name.replace("_", " ")), RULE.findall(ast.get_docstring(node) or ""))
    for path in files("web/tests", suffixes=(".ts", ".tsx")):
        for title in re.findall(r"""\b(?:test|it|describe)\(\s*["'`]([^"'`]+)""", path.read_text("utf-8")):
            found.update(RULE.findall(title))
    return frozenset(found)


def test_the_specification_has_the_rules_that_it_should() -> None:
    rules = spec_rules()
    assert len(rules) == len(set(rules)) == 27
    assert set(NOT_PROVABLE_YET) <= set(rules)


def test_every_rule_is_proved_by_a_test() -> None:
    assert sorted(set(spec_rules()) - proved_rules() - set(NOT_PROVABLE_YET)) == []


def test_what_is_proved_is_not_called_unprovable() -> None:
    assert sorted(proved_rules() & set(NOT_PROVABLE_YET)) == []


def test_every_rule_that_the_code_names_is_in_the_specification() -> None:
    rules = set(spec_rules())
    unknown = [
        f"{relative(path)} names {rule}"
        for path in files("src", "tests", suffixes=(".py",))
        for group in CITED.findall(path.read_text("utf-8"))
        for rule in RULE.findall(group)
        if rule not in rules
    ]
    assert unknown == []
