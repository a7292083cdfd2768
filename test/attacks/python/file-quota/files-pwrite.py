# id: files-pwrite
# title: pwrite beyond the limit: an error
# level: L1
# class: file-quota
# expect: python OSError OverflowError OperationalError FileNotFoundError BlockingIOError
# control: outcome
# limits: {"fileBytes":16777216}
# timeout-ms: 15000

import os
f = os.open('/tmp/x', os.O_CREAT | os.O_RDWR)
os.pwrite(f, b'x', 2**35)
