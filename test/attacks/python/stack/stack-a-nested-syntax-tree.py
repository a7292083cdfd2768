# id: stack-a-nested-syntax-tree
# title: exhausting the stack by a nested syntax tree harms at most its own interpreter
# level: L1
# class: stack
# expect: any
# control: none CPython may stop it first

import ast
x = ast.Constant(1)
for _ in range(100_000): x = ast.UnaryOp(ast.USub(), x)
compile(ast.fix_missing_locations(ast.Expression(x)), "", "eval")
