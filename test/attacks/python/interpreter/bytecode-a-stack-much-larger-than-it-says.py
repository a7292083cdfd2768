# id: bytecode-a-stack-much-larger-than-it-says
# title: bytecode: a stack much larger than it says
# level: L1
# class: interpreter
# expect: any
# control: none CPython checks no bytecode
# prelude: bytecode

run(('LOAD_SMALL_INT', 1, 200_000), co_stacksize=4)
