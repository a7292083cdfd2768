# id: native-stack-depths
# title: imports called at several depths of an exhausted stack harm at most their own interpreter
# level: L1
# class: stack
# expect: any
# control: none where V8 throws and where it aborts differ by Node
# env: {"TZ": "America/Sao_Paulo"}
# timeout-ms: 30000

import itertools, os, time
def touch(_):
    for call in (time.time, time.localtime, time.tzset, os.getcwd, lambda: os.listdir('/'), lambda: open('/tmp/x', 'w').write('x'), lambda: os.stat('/tmp'), lambda: os.urandom(8), lambda: print('x'), time.gmtime):
        try: call()
        except Exception: pass
    return 1
it = map(touch, itertools.repeat(1))
for _ in range(550_000): it = filter(None, it)
for _ in range(4):
    for _ in range(10_000): it = filter(None, it)
    try: next(it)
    except (RecursionError, MemoryError): pass
del it
