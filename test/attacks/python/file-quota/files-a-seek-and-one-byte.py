# id: files-a-seek-and-one-byte
# title: one byte written far beyond the limit: stops with an error at the limit
# level: L1
# class: file-quota
# expect: python OSError OverflowError OperationalError FileNotFoundError BlockingIOError
# control: outcome
# timeout-ms: 15000

f = open('/tmp/x', 'wb')
f.seek(2**40)
f.write(b'x')
f.flush()
