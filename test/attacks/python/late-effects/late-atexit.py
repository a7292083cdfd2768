# id: late-atexit
# title: what atexit prints between calls is not output of any call
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
