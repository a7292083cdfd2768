# id: host-names-in-memory
# title: the interpreter’s memory contains no secret, path or name of the host
# level: L1
# class: host-facts
# expect: result True
# control: none the search finds RecursionError, which is there
# prelude: forged-memory

import re
parts = [bytes(memory[at : at + 2**20 + 200]) for at in range(0, SIZE, 2**20)]
found = [each for each in HOST_WORDS if any(map(re.compile(each.encode()).search, parts))]
found == HOST_WORDS[:1]
