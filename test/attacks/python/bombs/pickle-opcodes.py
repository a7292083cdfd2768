# id: pickle-opcodes
# title: millions of pickle opcodes end in an error within the limits
# level: L1
# class: bombs
# expect: error
# control: outcome
# limits: {"memoryBytes":67108864}
# timeout-ms: 4000
# rss-mib: 800

import pickle
pickle.loads(b'\x80\x04' + b'(' * 50_000_000)
