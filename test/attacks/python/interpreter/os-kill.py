# id: os-kill
# title: os.kill ends only the call that did it
# level: L1
# class: interpreter
# expect: crash restored
# control: outcome

import os; os.kill(os.getpid(), 9)
