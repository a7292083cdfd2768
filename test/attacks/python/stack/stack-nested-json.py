# id: stack-nested-json
# title: no stack left: nested JSON
# level: L1
# class: stack
# expect: any
# control: none CPython may stop it first

import json; x = json.loads('[' * 100_000 + ']' * 100_000)
