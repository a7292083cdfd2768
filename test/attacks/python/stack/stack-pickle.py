# id: stack-pickle
# title: no stack left: pickle
# level: L1
# class: stack
# expect: any
# control: none CPython may stop it first

import pickle
x = []
for _ in range(100_000): x = [x]
pickle.dumps(x)
