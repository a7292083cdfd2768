# id: generatorexit
# title: GeneratorExit is a Python error, and the session keeps its state
# level: L1
# class: interpreter
# expect: python
# control: outcome

raise GeneratorExit
