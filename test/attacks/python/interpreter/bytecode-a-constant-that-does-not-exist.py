# id: bytecode-a-constant-that-does-not-exist
# title: bytecode that loads a constant that does not exist harms at most its own interpreter
# level: L1
# class: interpreter
# expect: any
# control: none CPython checks no bytecode
# prelude: bytecode

run(('EXTENDED_ARG', 250, 1), ('LOAD_CONST', 200, 1))
