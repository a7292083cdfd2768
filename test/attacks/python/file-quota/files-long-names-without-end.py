# id: files-long-names-without-end
# title: long names without end: an error at the limit
# level: L1
# class: file-quota
# expect: python OSError OverflowError OperationalError FileNotFoundError BlockingIOError | timeout
# control: outcome
# timeout-ms: 1000

import itertools
for i in itertools.count(): open(f'/tmp/{i:0250}', 'w').close()
