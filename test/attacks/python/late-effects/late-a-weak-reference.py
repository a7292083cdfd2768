# id: late-a-weak-reference
# title: what a weak reference’s callback prints between calls is not output of any call
# level: L1
# class: late-effects
# expect: result 2
# control: none the output is nobody’s
# stdout: ""

import gc, weakref; gc.disable()
class A: pass
a = A(); a.me = a; r = weakref.ref(a, lambda _: print("late")); del a
# %%
1
# %% reset
# %%
2
