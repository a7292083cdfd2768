# id: stack-copy-deepcopy
# title: exhausting the stack by copy.deepcopy harms at most its own interpreter
# level: L1
# class: stack
# expect: any
# control: none CPython may stop it first

import copy
x = []
for _ in range(100_000): x = [x]
copy.deepcopy(x)
