# id: bytecode-a-stack-much-larger-than-it-says
# title: bytecode that uses a much larger stack than it declares harms at most its own interpreter
# level: L1
# class: interpreter
# expect: any
# control: none CPython checks no bytecode
# prelude: bytecode

run(('LOAD_SMALL_INT', 1, 200_000), co_stacksize=4)
