# id: late-a-modules-finalizer
# title: what a module’s finalizer prints between calls is not output of any call
# level: L1
# class: late-effects
# expect: result 2
# control: none the output is nobody’s
# stdout: ""

import sys, types
class M(types.ModuleType):
  def __del__(self): print("late")
sys.modules["m"] = M("m")
# %%
1
# %% reset
# %%
2
