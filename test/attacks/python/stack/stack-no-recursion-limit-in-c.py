# id: stack-no-recursion-limit-in-c
# title: no stack left: no recursion limit, in C
# level: L1
# class: stack
# expect: any
# control: none CPython may stop it first

import sys
sys.setrecursionlimit(10**8)
class A:
  def __getattr__(self, name): return getattr(self, name + "x")
A().y
