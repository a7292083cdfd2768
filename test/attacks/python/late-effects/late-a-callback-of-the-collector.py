# id: late-a-callback-of-the-collector
# title: what a callback of the garbage collector prints between calls is not output of any call
# level: L1
# class: late-effects
# expect: result 2
# control: none the output is nobody’s
# stdout: ""

import gc; gc.disable(); gc.callbacks.append(lambda *_: print("late"))
# %%
1
# %% reset
# %%
2
