# id: files-truncate
# title: truncate to a size beyond the limit: an error
# level: L1
# class: file-quota
# expect: python OSError OverflowError OperationalError FileNotFoundError BlockingIOError
# control: outcome
# timeout-ms: 15000

f = open('/tmp/x', 'wb')
f.truncate(2**33)
