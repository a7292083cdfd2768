# id: memory-a-reference-too-few
# title: a reference count that is too low harms at most its own interpreter
# level: L1
# class: interpreter
# expect: any
# control: none memory-forged shows that the writes are real
# prelude: forged-memory

victim = [[] for _ in range(99)]
for v in victim: _ctypes.Py_DECREF(v)
del victim, v
[[] for _ in range(999)]
