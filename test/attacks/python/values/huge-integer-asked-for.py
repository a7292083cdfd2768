# id: huge-integer-asked-for
# title: get of an integer of 300 million bits does not stall the main thread
# level: L1
# class: values
# expect: any
# control: none the time of the main thread is the claim

x = 1 << 300_000_000
# %% get x
