# id: files-pwrite
# title: pwrite beyond the limit: an error
# level: L1
# class: file-quota
# expect: python OSError OverflowError OperationalError FileNotFoundError BlockingIOError
# control: outcome
# limits: {"fileBytes":4194304}
# timeout-ms: 15000

import os
f = os.open('/tmp/x', os.O_CREAT | os.O_RDWR)
os.pwrite(f, b'x', 2**35)
