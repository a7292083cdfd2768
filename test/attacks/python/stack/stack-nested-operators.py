# id: stack-nested-operators
# title: no stack left: nested operators
# level: L1
# class: stack
# expect: any
# control: none CPython may stop it first

eval('-' * 100_000 + '1')
