# id: stack-a-class-that-is-its-own-instance-check
# title: exhausting the stack by a class whose instance check calls itself harms at most its own interpreter
# level: L1
# class: stack
# expect: any
# control: none CPython may stop it first

class M(type):
  def __instancecheck__(c, x): return isinstance(x, c)
class A(metaclass=M): pass
isinstance(1, A)
