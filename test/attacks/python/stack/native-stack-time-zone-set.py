# id: native-stack-time-zone-set
# title: setting another time zone on an exhausted stack harms at most its own interpreter
# level: L1
# class: stack
# expect: any
# control: none where V8 throws and where it aborts differs by Node
# timeout-ms: 30000

# The host makes formatters for a zone. Each depth is written out, because a function's frame would shift it.
import os, time
def to(name): os.environ['TZ'] = name; time.tzset(); return time.tzname
it = map(to, ['Europe/Lisbon'])
for _ in range(590_000): it = filter(None, it)
next(it); del it
# %%
import os, time
it = map(to, ['Asia/Tokyo'])
for _ in range(597_100): it = filter(None, it)
next(it); del it
# %%
import os, time
it = map(to, ['America/New_York'])
for _ in range(597_140): it = filter(None, it)
next(it); del it
