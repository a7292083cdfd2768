# id: bytecode-a-name-that-does-not-exist
# title: bytecode that loads a name that does not exist harms at most its own interpreter
# level: L1
# class: interpreter
# expect: any
# control: none CPython checks no bytecode
# prelude: bytecode

run(('LOAD_NAME', 255, 1))
