# id: display-of-many-keys-before-notes
# title: a display of 110,000 keys is found although notes with a dict follow it
# level: L1
# class: values
# expect: crash
# control: none the time of the main thread is the claim
# prelude: lying-kernel
# timeout-ms: 2000
# recover: true
# rss-mib: 1000

lie(r"""return outcome(True, None, None, {str(key): '' for key in range(110_000)}, [{}])""")
# %%
1
