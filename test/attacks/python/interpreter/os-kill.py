# id: os-kill
# title: os.kill ends the call, once
# level: L1
# class: interpreter
# expect: crash restored
# control: outcome

import os; os.kill(os.getpid(), 9)
