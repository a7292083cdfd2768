# id: a-fatal-signal
# title: a fatal signal ends the call, once
# level: L1
# class: interpreter
# expect: crash restored
# control: outcome

import signal; signal.raise_signal(signal.SIGABRT)
