# id: late-a-finalizer-of-garbage
# title: what a finalizer prints between calls is not output of any call
# level: L1
# class: late-effects
# expect: result 2
# control: none the output is nobody’s
# stdout: ""

import gc; gc.disable()
class A:
  def __del__(self): print("late")
a = A(); a.me = a; del a
# %%
1
# %% reset
# %%
2
