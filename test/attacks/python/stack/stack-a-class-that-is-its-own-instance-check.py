# id: stack-a-class-that-is-its-own-instance-check
# title: no stack left: a class that is its own instance check
# level: L1
# class: stack
# expect: any
# control: none CPython may stop it first

class M(type):
  def __instancecheck__(c, x): return isinstance(x, c)
class A(metaclass=M): pass
isinstance(1, A)
