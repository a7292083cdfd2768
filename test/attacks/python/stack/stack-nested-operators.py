# id: stack-nested-operators
# title: exhausting the stack by nested operators harms at most its own interpreter
# level: L1
# class: stack
# expect: any
# control: none CPython may stop it first

eval('-' * 100_000 + '1')
