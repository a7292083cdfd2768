# id: late-a-callback-of-the-collector
# title: what a callback of the collector prints when nobody called is nobody’s output
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
