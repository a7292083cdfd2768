# id: bytecode-a-name-that-does-not-exist
# title: bytecode: a name that does not exist
# level: L1
# class: interpreter
# expect: any
# control: none CPython checks no bytecode
# prelude: bytecode

run(('LOAD_NAME', 255, 1))
