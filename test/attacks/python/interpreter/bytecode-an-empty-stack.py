# id: bytecode-an-empty-stack
# title: bytecode: an empty stack
# level: L1
# class: interpreter
# expect: any
# control: none CPython checks no bytecode
# prelude: bytecode

run(('POP_TOP', 0, 1000))
