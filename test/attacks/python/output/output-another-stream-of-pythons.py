# id: output-another-stream-of-pythons
# title: output through another Python stream is cut off at the limit
# level: L1
# class: output
# expect: limit outputBytes | timeout
# control: outcome
# limits: {"outputBytes":1048576}
# timeout-ms: 5000

import io
f = io.FileIO(1, 'w', closefd=False)
while True: f.write(b'x' * 4096)
