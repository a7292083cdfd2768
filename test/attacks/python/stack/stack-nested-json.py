# id: stack-nested-json
# title: exhausting the stack by nested JSON harms at most its own interpreter
# level: L1
# class: stack
# expect: any
# control: none CPython may stop it first

import json; x = json.loads('[' * 100_000 + ']' * 100_000)
