# id: files-descriptors-without-end
# title: opening descriptors in an endless loop stops with an error at the limit
# level: L1
# class: file-quota
# expect: python OSError OverflowError OperationalError FileNotFoundError BlockingIOError | timeout
# control: outcome
# timeout-ms: 15000

x = []
while True: x.append(open('/dev/null'))
