# id: output-printing-without-end
# title: printing in an endless loop is cut off at the limit
# level: L1
# class: output
# expect: limit outputBytes | timeout
# control: outcome
# limits: {"outputBytes":1048576}
# timeout-ms: 5000

while True: print('x' * 65536)
