# id: hooks-at-the-end
# title: hooks of exit, threading and logging do not run when a session ends
# level: L1
# class: late-effects
# expect: result 1
# control: none the output is nobody’s
# stdout: ""

import atexit, logging, sys, threading, weakref
for _ in range(1000): atexit.register(print, 'late')
threading._register_atexit(print, 'late')
class A:
    def __del__(self): print('late'); self.__class__()
sys.modules['x'] = A()
# %% reset
# %%
1
