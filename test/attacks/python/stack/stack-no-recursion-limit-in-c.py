# id: stack-no-recursion-limit-in-c
# title: exhausting the stack by C recursion without a recursion limit harms at most its own interpreter
# level: L1
# class: stack
# expect: any
# control: none CPython may stop it first

import sys
sys.setrecursionlimit(10**8)
class A:
  def __getattr__(self, name): return getattr(self, name + "x")
A().y
