"""Cells that run the session's loop as a script does, with `loop.run_until_complete(main())`.

At the top level of a cell such a call is awaited: the execution can be suspended in it, saved and resumed, as with
`await main()`. In a function it blocks the thread (see `loop`). Owns the change of the syntax tree and what runs then.
"""

import ast
from asyncio import events
from collections.abc import Awaitable, Callable
from typing import Any

from .loop import OutsideSessionLoop, SessionLoop

# What is in them runs later, or in a scope in which nothing can be awaited.
_SCOPES = (
    ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp,
    ast.GeneratorExp,
)  # fmt: skip
_AWAITING = (ast.Await, ast.AsyncFor, ast.AsyncWith)


class _Awaiting(ast.NodeTransformer):
    def __init__(self) -> None:
        self.has_changed = False
        self.has_awaited = False

    def visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, _SCOPES):
            return node
        if isinstance(node, _AWAITING):
            self.has_awaited = True
        node = self.generic_visit(node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "run_until_complete":
            self.has_changed = True
            return _awaited_call(node)
        return node


def with_awaits(tree: ast.Module) -> bool:
    """Await the calls of that method. True if nothing else in the cell awaits, so that it is a script."""
    awaiting = _Awaiting()
    awaiting.visit(tree)
    return awaiting.has_changed and not awaiting.has_awaited


def _awaited_call(call: ast.Call) -> ast.Await:
    awaited = ast.parse("__import__('_brumate.scripts', fromlist=['awaited']).awaited(0)", mode="eval").body
    for node in ast.walk(awaited):
        ast.copy_location(node, call)
    awaited.args = [call.func]
    call.func = awaited
    return ast.copy_location(ast.Await(call), call)


def awaited(method: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    """The method, as a function whose result is awaited. Only the session's loop has something to wait for."""
    loop = getattr(method, "__self__", None)
    if isinstance(loop, SessionLoop) and events._get_running_loop() is loop:
        return loop.complete

    async def call(*args: Any, **kwargs: Any) -> Any:
        with OutsideSessionLoop():
            return method(*args, **kwargs)

    return call
