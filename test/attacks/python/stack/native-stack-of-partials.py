# id: native-stack-of-partials
# title: iterators nested until the native stack is exhausted harm at most their own interpreter
# level: L1
# class: stack
# expect: any
# control: none where V8 throws differs by Node
# timeout-ms: 20000

import functools, itertools, operator
for wrap in (lambda it: map(abs, it), lambda it: itertools.chain(it), lambda it: itertools.islice(it, 9), lambda it: enumerate(it), lambda it: zip(it)):
    it = iter([1])
    for _ in range(300_000): it = wrap(it)
    try: next(it)
    except (RecursionError, MemoryError, TypeError): pass
