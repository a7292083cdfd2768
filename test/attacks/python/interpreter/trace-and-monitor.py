# id: trace-and-monitor
# title: tracers, profilers and monitors of the kernel’s own frames harm only their own session
# level: L1
# class: interpreter
# expect: any
# control: none it breaks what it runs on
# timeout-ms: 3000
# recover: true

import sys
def trace(frame, event, argument):
    try:
        frame.f_locals.clear()
        frame.f_trace_opcodes = True
    except Exception: pass
    return trace
sys.settrace(trace)
sys.setprofile(trace)
try:
    sys.monitoring.use_tool_id(2, 'x')
    sys.monitoring.set_events(2, sys.monitoring.events.PY_START | sys.monitoring.events.RAISE)
    sys.monitoring.register_callback(2, sys.monitoring.events.PY_START, lambda *_: 1 / 0)
except Exception: pass
# %%
1
# %%
import asyncio
await asyncio.sleep(0)
