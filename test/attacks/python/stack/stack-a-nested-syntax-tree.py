# id: stack-a-nested-syntax-tree
# title: exhausting the stack by a nested syntax tree harms at most its own interpreter
# level: L1
# class: stack
# expect: any
# control: none CPython may stop it first

import ast
place = {'lineno': 1, 'col_offset': 0, 'end_lineno': 1, 'end_col_offset': 1}
x, minus = ast.Constant(1, **place), ast.USub()
for _ in range(100_000): x = ast.UnaryOp(minus, x, **place)
tree, x = ast.Expression(x), None
try: compile(tree, "", "eval")
finally: del tree
