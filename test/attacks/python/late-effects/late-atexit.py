# id: late-atexit
# title: what atexit prints when nobody called is nobody’s output
# level: L1
# class: late-effects
# expect: result 2
# control: none the output is nobody’s
# stdout: ""

import atexit; atexit.register(print, "late")
# %%
1
# %% reset
# %%
2
