# id: keyboardinterrupt
# title: KeyboardInterrupt is a Python error and the state stays
# level: L1
# class: interpreter
# expect: python
# control: outcome

raise KeyboardInterrupt
