# id: stack-nested-parentheses
# title: exhausting the stack by nested parentheses harms at most its own interpreter
# level: L1
# class: stack
# expect: any
# control: none CPython may stop it first

eval('(' * 100_000 + ')' * 100_000)
