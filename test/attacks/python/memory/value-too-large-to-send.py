# id: value-too-large-to-send
# title: a value for which there is no memory left is omitted from the result
# level: L1
# class: memory
# expect: result undefined
# control: outcome
# limits: {"memoryBytes":67108864}
# timeout-ms: 15000

'x' * (30 * 2**20)
