# Runs in the environment that has pyeryx: reads steps as one JSON array a line, performs them, and answers in the same way. It takes the times
# itself, so that the pipe costs eryx nothing. `--first` prints a line after the first result and ends.
import ast
import json
import os
import sys
import tempfile
import time

import eryx

DEADLINE_MS = 300
BOUND_MS = 5_000
sessions, resting = {}, {}
taken = b""
file = os.path.join(tempfile.mkdtemp(), "cell")


class Cannot(Exception):
    pass


def with_value(code):
    """Makes the last expression, as text, what eryx calls the result."""
    last = ast.parse(code).body[-1]
    if not isinstance(last, ast.Expr):
        return code
    lines = code.encode().split(b"\n")
    start = sum(len(line) + 1 for line in lines[: last.lineno - 1]) + last.col_offset
    text = ast.get_source_segment(code, last.value)
    return code.encode()[:start].decode() + f"result = repr(({text}))"


def create(step):
    purpose = step.get("for")
    if purpose == "checkpoints":
        raise Cannot("takes no checkpoints")
    options = {}
    if purpose == "callbacks":
        options["callbacks"] = [{"name": "add", "fn": lambda a, b: a + b, "description": "adds"}]
    if purpose == "deadline":
        options["execution_timeout_ms"] = DEADLINE_MS
    if purpose == "bounded":
        options = {"execution_timeout_ms": BOUND_MS, "vfs": eryx.VfsStorage()}
    sessions[step["session"]] = eryx.Session(**options)


def execute(step):
    result = sessions[step["session"]].execute(step["code"])
    return {"value": result.stdout.decode() or str(result.result)}


def snapshot(step):
    global taken
    taken = sessions[step["session"]].snapshot_state()
    return {"bytes": len(taken)}


def cell(step):
    execute(step)
    snapshot(step)
    with open(file, "wb") as written:
        written.write(taken)
        written.flush()
        os.fsync(written.fileno())


def restore(step):
    sessions[step["session"]].restore_state(taken)


def recover(step):
    sessions[step["session"]] = eryx.Session(execution_timeout_ms=DEADLINE_MS)
    restore(step)


def rest(step):
    resting[step["session"]] = sessions.pop(step["session"]).snapshot_state()


def rss(step):
    with open("/proc/self/statm") as pages:
        return {"bytes": int(pages.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")}


STEPS = {
    "create": create,
    "execute": execute,
    "cell": cell,
    "snapshot": snapshot,
    "restore": restore,
    "recover": recover,
    "rest": rest,
    "rss": rss,
    "close": lambda step: sessions.pop(step["session"]) and None,
    "sleep": lambda step: time.sleep(step["forMs"] / 1000),
}


def perform(step):
    if step.get("value"):
        step["code"] = with_value(step["code"])
    started = time.perf_counter()
    outcome = {}
    try:
        outcome = STEPS[step["do"]](step) or {}
    except Cannot as reason:
        outcome = {"cannot": str(reason)}
    except Exception as error:
        outcome = {"error": str(error).strip() or type(error).__name__}
    return {"ms": (time.perf_counter() - started) * 1000, **outcome}


if sys.argv[1:] == ["--first"]:
    create({"session": "first"})
    execute({"session": "first", "code": "x = 1"})
    print("first", flush=True)
else:
    for line in sys.stdin:
        print(json.dumps([perform(step) for step in json.loads(line)]), flush=True)
