# id: output-the-device
# title: writing to /dev/stdout in an endless loop is cut off at the limit
# level: L1
# class: output
# expect: limit outputBytes | timeout
# control: outcome
# limits: {"outputBytes":1048576}
# timeout-ms: 5000

f = open('/dev/stdout', 'wb', buffering=0)
while True: f.write(b'x' * 4096)
