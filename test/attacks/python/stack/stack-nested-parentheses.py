# id: stack-nested-parentheses
# title: no stack left: nested parentheses
# level: L1
# class: stack
# expect: any
# control: none CPython may stop it first

eval('(' * 100_000 + ')' * 100_000)
