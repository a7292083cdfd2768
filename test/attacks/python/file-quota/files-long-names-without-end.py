# id: files-long-names-without-end
# title: files with long names are an error at the limit of 65,536 files
# level: L1
# class: file-quota
# expect: python OSError OverflowError OperationalError FileNotFoundError BlockingIOError | timeout
# control: outcome
# timeout-ms: 15000

import itertools, os
for i in itertools.count(): os.close(os.open(f'/tmp/{i:0250}', os.O_CREAT))
