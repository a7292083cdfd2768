# id: bytecode-a-call-with-nothing-to-call
# title: bytecode that calls without a callee harms at most its own interpreter
# level: L1
# class: interpreter
# expect: any
# control: none CPython checks no bytecode
# prelude: bytecode

run(('CALL', 255, 1))
