# id: load-sqlite3-extensions
# title: no native code is loaded by sqlite3 extensions
# level: L1
# class: host-code
# expect: python
# control: none the module has no loader

import sys
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec
for suffix in (*EXTENSION_SUFFIXES, '.so'):
    with open('/tmp/library' + suffix, 'wb') as file:
        file.write(b'\0asm\1\0\0\0')
import sqlite3; sqlite3.connect(":memory:").execute("select load_extension('/tmp/library')")
