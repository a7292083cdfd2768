# id: lie-text-that-is-no-text
# title: a kernel reply that is text that is no text is a lie to its own session only
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
