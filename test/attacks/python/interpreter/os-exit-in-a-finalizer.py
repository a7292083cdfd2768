# id: os-exit-in-a-finalizer
# title: os._exit in a finalizer ends only the call that did it
# level: L1
# class: interpreter
# expect: crash restored
# control: outcome

import os
class Last:
    def __del__(self):
        os._exit(1)
last = Last()
del last
