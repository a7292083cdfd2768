# id: files-a-database
# title: a growing database stops with an error at the limit
# level: L1
# class: file-quota
# expect: python OSError OverflowError OperationalError FileNotFoundError BlockingIOError
# control: outcome
# limits: {"fileBytes":4194304}
# timeout-ms: 15000

import sqlite3
c = sqlite3.connect('/tmp/x')
c.execute('create table t(b)')
while True: c.execute('insert into t values (zeroblob(1000000))'); c.commit()
