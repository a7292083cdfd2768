# id: finalizer-that-never-ends
# title: a finalizer that never ends delays no reset and no other session
# level: L1
# class: late-effects
# expect: result False
# control: outcome

import gc; gc.disable()
class A:
  def __del__(self):
    while True: pass
a = A(); a.me = a; del a
# %% reset
# %%
"a" in globals()
