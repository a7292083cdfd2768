# id: executions-nested
# title: an execution started from inside another is an error or ends the interpreter
# level: L1
# class: interpreter
# expect: any
# control: none garbage is no request
# timeout-ms: 3000
# recover: true

import sys
link = sys.modules['_brumate.link']
for request in (b'', bytes(64), b'\x01' * 64, b'\xff' * 4096):
    try: link.dispatch(request)
    except Exception: pass
