# id: cut-between-characters
# title: output cut off at the limit ends with a whole character
# level: L1
# class: output
# expect: limit outputBytes
# control: outcome
# limits: {"outputBytes":100}
# stdout: "€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€"

print('€' * 100)
