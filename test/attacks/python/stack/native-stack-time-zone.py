# id: native-stack-time-zone
# title: the first local time on an exhausted stack harms at most its own interpreter
# level: L1
# class: stack
# expect: any
# control: none where V8 throws and where it aborts differs by Node; on Node 20 one of these depths, or one beside them, aborted the process
# env: {"TZ": "Europe/Lisbon"}
# timeout-ms: 30000

# The host compiles a regular expression for the first local time of a thread. Each depth is written out, because a function's frame
# would shift it; between two of them the thread is lost on purpose.
import time
it = map(time.localtime, [1])
for _ in range(597_141): it = filter(None, it)
next(it)
# %%
import os; os.abort()
# %%
import time
it = map(time.localtime, [1])
for _ in range(597_143): it = filter(None, it)
next(it)
