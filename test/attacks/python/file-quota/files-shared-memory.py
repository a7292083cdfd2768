# id: files-shared-memory
# title: writing to /dev/shm in an endless loop stops with an error at the limit
# level: L1
# class: file-quota
# expect: python OSError OverflowError OperationalError FileNotFoundError BlockingIOError
# control: outcome
# limits: {"fileBytes":4194304}
# timeout-ms: 15000

f = open('/dev/shm/x', 'wb')
while True: f.write(bytes(2**20))
