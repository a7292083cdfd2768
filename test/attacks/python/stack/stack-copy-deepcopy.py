# id: stack-copy-deepcopy
# title: no stack left: copy.deepcopy
# level: L1
# class: stack
# expect: any
# control: none CPython may stop it first

import copy
x = []
for _ in range(100_000): x = [x]
copy.deepcopy(x)
