# id: native-stack-depths
# title: every import at many depths of an exhausted stack
# level: L1
# class: stack
# expect: any
# control: none where V8 throws and where it aborts differ by Node
# env: {"TZ": "America/Sao_Paulo"}
# timeout-ms: 30000

import os, time, errno
def touch(_):
    for call in (time.time, time.localtime, time.tzset, os.getcwd, lambda: os.listdir('/'), lambda: open('/tmp/x', 'w').write('x'), lambda: os.stat('/tmp'), lambda: os.urandom(8), lambda: print('x'), time.gmtime):
        try: call()
        except Exception: pass
    return 1
for depth in range(560_000, 600_000, 10_000):
    it = map(touch, [1])
    for _ in range(depth): it = filter(None, it)
    try: next(it)
    except (RecursionError, MemoryError): pass
