# id: files-unlinked-files-that-stay-open
# title: filling unlinked files that stay open stops with an error at the limit
# level: L1
# class: file-quota
# expect: python OSError OverflowError OperationalError FileNotFoundError BlockingIOError
# control: outcome
# limits: {"fileBytes":4194304}
# timeout-ms: 15000

x = []
import os
while True:
  f = open('/tmp/x', 'wb'); f.write(bytes(2**20)); f.flush(); os.unlink('/tmp/x'); x.append(f)
