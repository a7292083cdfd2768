# id: display-of-many-keys-before-notes
# title: notes with a dict do not hide a display of 400,000 keys before them
# level: L1
# class: values
# expect: crash
# control: none the time of the main thread is the claim
# prelude: lying-kernel
# timeout-ms: 2000
# recover: true
# rss-mib: 2200

lie(r"""return outcome(True, None, None, {str(key): '' for key in range(400_000)}, [{}])""")
# %%
1
