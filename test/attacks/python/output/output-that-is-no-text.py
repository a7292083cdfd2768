# id: output-that-is-no-text
# title: bytes that are not valid text become replacement characters
# level: L1
# class: output
# expect: result
# control: none it asks for nothing that is refused

import os
for i in range(256): os.write(1, bytes([i]))
os.write(1, '€'.encode()[:2])
