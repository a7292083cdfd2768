# id: a-fatal-signal
# title: a fatal signal ends only the call that did it
# level: L1
# class: interpreter
# expect: crash restored
# control: outcome

import signal; signal.raise_signal(signal.SIGABRT)
