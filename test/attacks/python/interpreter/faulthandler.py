# id: faulthandler
# title: faulthandler ends only the call that did it
# level: L1
# class: interpreter
# expect: crash restored
# control: outcome

import faulthandler; faulthandler._sigsegv()
