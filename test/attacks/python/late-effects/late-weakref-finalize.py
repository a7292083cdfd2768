# id: late-weakref-finalize
# title: what weakref.finalize prints between calls is not output of any call
# level: L1
# class: late-effects
# expect: result 2
# control: none the output is nobody’s
# stdout: ""

import weakref
class A: pass
a = A(); f = weakref.finalize(a, print, "late")
# %%
1
# %% reset
# %%
2
