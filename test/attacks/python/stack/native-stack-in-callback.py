# id: native-stack-in-callback
# title: a blocking callback called on an exhausted stack harms at most its own interpreter
# level: L1
# class: stack
# expect: any
# control: none where V8 throws and where it aborts differ by Node
# timeout-ms: 30000

import brumate
it = map(lambda _: brumate.call_sync('echo', x=1), [1])
for _ in range(590_000): it = filter(None, it)
next(it); del it
