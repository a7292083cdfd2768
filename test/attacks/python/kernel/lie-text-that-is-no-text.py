# id: lie-text-that-is-no-text
# title: a false kernel reply, text that is not valid, deceives only its own session
# level: L1
# class: kernel
# expect: result
# control: outcome
# prelude: lying-kernel
# timeout-ms: 2000
# recover: true

lie(r"""return value(b'u' + length(4) + b'\xff\xfe\xed\xa0')""")
# %%
1
