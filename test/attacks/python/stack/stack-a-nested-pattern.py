# id: stack-a-nested-pattern
# title: exhausting the stack by a nested pattern harms at most its own interpreter
# level: L1
# class: stack
# expect: any
# control: none CPython may stop it first

import re; re.compile('(' * 50_000 + ')' * 50_000)
