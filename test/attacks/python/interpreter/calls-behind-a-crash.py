# id: calls-behind-a-crash
# title: calls queued behind a crash run in the next interpreter
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
