# id: value-too-large-to-send
# title: a value that cannot be sent any more is left out
# level: L1
# class: memory
# expect: result undefined
# control: outcome
# limits: {"memoryBytes":67108864}
# timeout-ms: 15000

'x' * (30 * 2**20)
