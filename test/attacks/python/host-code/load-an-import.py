# id: load-an-import
# title: no native code is loaded by an import
# level: L1
# class: host-code
# expect: python
# control: none the module has no loader

import sys
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec
for suffix in (*EXTENSION_SUFFIXES, '.so'):
    with open('/tmp/library' + suffix, 'wb') as file:
        file.write(b'\0asm\1\0\0\0')
sys.path.insert(0, "/tmp"); import library
