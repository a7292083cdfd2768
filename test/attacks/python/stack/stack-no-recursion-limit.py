# id: stack-no-recursion-limit
# title: exhausting the stack by recursion without a recursion limit harms at most its own interpreter
# level: L1
# class: stack
# expect: any
# control: none CPython may stop it first
# limits: {"memoryBytes":67108864}

import sys
sys.setrecursionlimit(10**8)
def f(): return f()
f()
