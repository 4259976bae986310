"""What holds the code together: who may import whom, where imports stand, how long things grow."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PRODUCT = [
    path
    for room in ("wxhub", "orders", "wechat")
    for path in sorted((ROOT / room).rglob("*.py"))
    if "migrations" not in path.parts
]
FILE_LINES, FUNCTION_LINES = 300, 30
TABLES = {"_bench_phrases", "_screen_phrases"}  # the texts of pages: long, and nothing to understand
# Around a handler, around a delivery, and where staff run a failed push again and read what its handler raised.
BROAD_CATCHES = {"wechat/inbox.py", "wechat/attempts.py", "wechat/group_commit.py"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(path: Path) -> list[Function]:
    return [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, Function)]


def test_no_arrow_between_the_rooms_points_the_wrong_way() -> None:
    command = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_a_module_says_what_it_is_and_stays_short(path: Path) -> None:
    source = path.read_text("utf-8")
    assert ast.get_docstring(ast.parse(source)) or not source.strip()
    assert source.count("\n") <= FILE_LINES


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_imports_stand_at_the_top(path: Path) -> None:
    inside = [
        function.name
        for function in functions(path)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom) and function.name != "ready"
    ]
    assert not inside


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_a_function_fits_on_a_screen(path: Path) -> None:
    long = {
        function.name: function.end_lineno - function.lineno + 1
        for function in functions(path)
        if function.end_lineno and function.end_lineno - function.lineno >= FUNCTION_LINES
    }
    assert not long.keys() - TABLES, long


def test_no_room_for_odds_and_ends() -> None:
    assert not {path.stem for path in PRODUCT} & {"utils", "helpers", "services", "common", "misc"}


def test_signatures_are_compared_in_constant_time() -> None:
    compared = [
        node.func.attr
        for function in functions(ROOT / "wechat" / "crypto.py")
        if function.name in ("is_signed", "decrypt")
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]
    assert compared.count("compare_digest") == 2


def test_nobody_else_compares_a_signature() -> None:
    for path in [path for path in PRODUCT if "simulator" not in path.parts]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Compare) and any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops):
                assert "signature" not in ast.unparse(node), f"{name_of(path)}: {ast.unparse(node)}"


def test_only_known_places_catch_everything() -> None:
    broad = {
        f"{name_of(path)}:{handler.lineno}"
        for path in PRODUCT
        if "simulator" not in path.parts
        for handler in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(handler, ast.ExceptHandler)
        and (handler.type is None or ast.unparse(handler.type) in ("Exception", "BaseException"))
    }
    assert {place.rpartition(":")[0] for place in broad} <= BROAD_CATCHES
