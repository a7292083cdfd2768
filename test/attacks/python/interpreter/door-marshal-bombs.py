# id: door-marshal-bombs
# title: marshal bombs written to the descriptor for blocking calls are an error or end the interpreter
# level: L1
# class: interpreter
# expect: any
# control: none garbage is no call

import os
for bomb in (b'(' + b'\xff\xff\xff\x7f', b'(\x01\0\0\0' * 50_000, b'l' + b'\xff\xff\xff\x7f', b'<' + b'\xff\xff\xff\x7f', b'c' * 100, b'r\0\0\0\0'):
    try: os.write(0x3FFFFFFF, bomb)
    except OSError: pass
