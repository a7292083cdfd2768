# id: bytecode-a-constant-that-does-not-exist
# title: bytecode: a constant that does not exist
# level: L1
# class: interpreter
# expect: any
# control: none CPython checks no bytecode
# prelude: bytecode

run(('EXTENDED_ARG', 250, 1), ('LOAD_CONST', 200, 1))
