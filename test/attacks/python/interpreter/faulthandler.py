# id: faulthandler
# title: faulthandler ends the call, once
# level: L1
# class: interpreter
# expect: crash restored
# control: outcome

import faulthandler; faulthandler._sigsegv()
