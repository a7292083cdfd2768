# id: late-a-weak-reference
# title: what a weak reference prints when nobody called is nobody’s output
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
