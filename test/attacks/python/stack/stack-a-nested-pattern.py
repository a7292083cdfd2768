# id: stack-a-nested-pattern
# title: no stack left: a nested pattern
# level: L1
# class: stack
# expect: any
# control: none CPython may stop it first

import re; re.compile('(' * 50_000 + ')' * 50_000)
