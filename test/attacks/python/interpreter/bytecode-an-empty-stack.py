# id: bytecode-an-empty-stack
# title: bytecode that pops from an empty stack harms at most its own interpreter
# level: L1
# class: interpreter
# expect: any
# control: none CPython checks no bytecode
# prelude: bytecode

run(('POP_TOP', 0, 1000))
