# id: files-files-without-end
# title: files without end: an error at the limit
# level: L1
# class: file-quota
# expect: python OSError OverflowError OperationalError FileNotFoundError BlockingIOError | timeout
# control: outcome
# timeout-ms: 15000

import itertools
for i in itertools.count(): open(f'/tmp/{i}', 'w').close()
