# id: signal-handlers
# title: setting and raising handlers of every signal harms no other session
# level: L1
# class: interpreter
# expect: any
# control: none CPython refuses some
# timeout-ms: 2000

import signal
def handler(*_): raise KeyError
for number in range(1, 65):
    for action in (handler, signal.SIG_IGN, signal.SIG_DFL):
        try:
            signal.signal(number, action)
            if action is handler: signal.raise_signal(number)
        except (KeyError, OSError, ValueError): pass
for call in (lambda: signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001), lambda: signal.alarm(1), lambda: signal.set_wakeup_fd(1), lambda: signal.pthread_sigmask(0, range(1, 65)), lambda: signal.sigwait([2]), lambda: signal.pause()):
    try: call()
    except (KeyError, OSError, ValueError, AttributeError, RuntimeError): pass
