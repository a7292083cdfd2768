# id: display-of-bytes
# title: a display that is 30 MB of bytes does not stall the main thread
# level: L1
# class: values
# expect: crash
# control: none the time of the main thread is the claim
# prelude: lying-kernel
# timeout-ms: 2000
# recover: true
# rss-mib: 2200

lie(r"""return reply(0, b'(\x04\0\0\0TNNs' + length(30_000_000) + bytes(30_000_000))""")
# %%
1
