# id: cut-between-characters
# title: a cut leaves whole characters
# level: L1
# class: output
# expect: limit outputBytes
# control: outcome
# limits: {"outputBytes":100}
# stdout: "€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€"

print('€' * 100)
