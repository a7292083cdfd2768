# id: os-abort
# title: os.abort ends the call, once
# level: L1
# class: interpreter
# expect: crash restored
# control: outcome

import os; os.abort()
