# id: files-pipes-without-end
# title: filling pipes in an endless loop stops with an error at the limit
# level: L1
# class: file-quota
# expect: python OSError OverflowError OperationalError FileNotFoundError BlockingIOError
# control: outcome
# limits: {"fileBytes":4194304}
# timeout-ms: 15000

import os
x = []
while True:
  r, w = os.pipe(); os.set_blocking(w, False); os.write(w, bytes(65536)); x.append(w)
