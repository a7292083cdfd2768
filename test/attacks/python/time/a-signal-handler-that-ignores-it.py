# id: a-signal-handler-that-ignores-it
# title: the deadline ends code whose signal handler ignores the interrupt
# level: L1
# class: time
# expect: timeout
# control: outcome
# timeout-ms: 60

import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
while True: pass
