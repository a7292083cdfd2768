# id: files-a-seek-past-every-number
# title: a seek beyond the largest file offset: an error
# level: L1
# class: file-quota
# expect: python OSError OverflowError OperationalError FileNotFoundError BlockingIOError
# control: outcome
# timeout-ms: 15000

f = open('/tmp/x', 'wb')
f.seek(2**63 - 1)
f.write(b'x')
f.flush()
