# id: memory-a-reference-too-few
# title: memory: a reference too few
# level: L1
# class: interpreter
# expect: any
# control: none memory-forged shows that the writes are real
# prelude: forged-memory

victim = [[] for _ in range(99)]
for v in victim: _ctypes.Py_DECREF(v)
del victim, v
[[] for _ in range(999)]
