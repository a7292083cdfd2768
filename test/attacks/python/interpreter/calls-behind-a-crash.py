# id: calls-behind-a-crash
# title: calls that wait behind a crash run in the interpreter that comes after it
# level: L1
# class: interpreter
# expect: result 8
# control: outcome

import os; os.abort()
# %%
x = 2; x
# %%
x = 0; import os; os._exit(1)
# %%
x *= 2; x
# %%
x = 0; import os; os.abort()
# %%
x *= 2; x
