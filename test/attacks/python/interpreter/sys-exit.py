# id: sys-exit
# title: sys.exit is a Python error, and the session keeps its state
# level: L1
# class: interpreter
# expect: python
# control: outcome

import sys; sys.exit(3)
