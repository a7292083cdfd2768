# id: memory-forged
# title: Python can read and write all of the interpreter’s memory
# level: L1
# class: interpreter
# expect: result b'behind'
# control: outcome
# prelude: forged-memory

victim = b'before'
at = id(victim) + bytes.__basicsize__ - 1
memory[at : at + 6] = b'behind'
victim
