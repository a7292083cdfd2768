# id: os-exit
# title: os._exit ends only the call that did it
# level: L1
# class: interpreter
# expect: crash restored
# control: outcome

import os; os._exit(0)
