# id: a-pickle-that-doubles
# title: a pickle whose size doubles with each opcode ends in an error within the limits
# level: L1
# class: bombs
# expect: error
# control: outcome
# limits: {"memoryBytes":67108864}
# timeout-ms: 4000
# rss-mib: 800

import pickle
pickle.loads(b'\x80\x04]\x94' + b'(h\x00h\x00e' * 10**7 + b'.')
