# id: stack-pickle
# title: exhausting the stack by pickle harms at most its own interpreter
# level: L1
# class: stack
# expect: any
# control: none CPython may stop it first

import pickle
x = []
for _ in range(100_000): x = [x]
pickle.dumps(x)
