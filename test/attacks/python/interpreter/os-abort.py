# id: os-abort
# title: os.abort ends only the call that did it
# level: L1
# class: interpreter
# expect: crash restored
# control: outcome

import os; os.abort()
