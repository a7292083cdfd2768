# id: bytecode-a-jump-out-of-the-code
# title: bytecode that jumps out of its code harms at most its own interpreter
# level: L1
# class: interpreter
# expect: any
# control: none CPython checks no bytecode
# prelude: bytecode

run(('EXTENDED_ARG', 255, 2), ('JUMP_FORWARD', 255, 1))
