# id: bytecode-a-call-with-nothing-to-call
# title: bytecode: a call with nothing to call
# level: L1
# class: interpreter
# expect: any
# control: none CPython checks no bytecode
# prelude: bytecode

run(('CALL', 255, 1))
