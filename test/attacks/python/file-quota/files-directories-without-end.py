# id: files-directories-without-end
# title: nesting directories in an endless loop stops with an error at the limit
# level: L1
# class: file-quota
# expect: python OSError OverflowError OperationalError FileNotFoundError BlockingIOError | timeout
# control: outcome
# timeout-ms: 15000

import os
while True: os.mkdir('d'); os.chdir('d')
