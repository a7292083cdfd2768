# id: output-control-characters
# title: control characters and invalid text are passed to the caller unchanged
# level: L1
# class: output
# expect: any
# control: none it asks for nothing that is refused

import os, sys
print('\x1b[2J\x1b]0;title\x07\0\ud800'.encode('utf-8', 'surrogatepass').decode('latin-1'))
os.write(1, b'\xf0\x9f\x98')
os.write(2, b'\xff' * 1000)
os.write(1, b'\x80')
