# id: kernel-that-spins
# title: a kernel that spins is stopped by the deadline
# level: L1
# class: kernel
# expect: timeout
# control: outcome
# prelude: lying-kernel
# timeout-ms: 60
# recover: true

lie(r"""while True: pass""")
# %%
1
