# id: files-long-names-without-end
# title: creating files with long names in an endless loop stops with an error at 65,536 files
# level: L1
# class: file-quota
# expect: python OSError OverflowError OperationalError FileNotFoundError BlockingIOError | timeout
# control: outcome
# timeout-ms: 15000

import itertools, os
for i in itertools.count(): os.close(os.open(f'/tmp/{i:0250}', os.O_CREAT))
