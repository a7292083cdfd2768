# id: display-of-bytes
# title: a display that is 12 MB of bytes does not stall the main thread
# level: L1
# class: values
# expect: crash
# control: none the time of the main thread is the claim
# prelude: lying-kernel
# timeout-ms: 2000
# recover: true
# rss-mib: 1000

lie(r"""return reply(0, b'(\x04\0\0\0TNNs' + length(12_000_000) + bytes(12_000_000))""")
# %%
1
