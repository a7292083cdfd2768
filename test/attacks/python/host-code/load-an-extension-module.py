# id: load-an-extension-module
# title: no native code is loaded by an extension module
# level: L1
# class: host-code
# expect: python
# control: none the module has no loader

import sys
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec
for suffix in (*EXTENSION_SUFFIXES, '.so'):
    with open('/tmp/library' + suffix, 'wb') as file:
        file.write(b'\0asm\1\0\0\0')
import _imp; _imp.create_dynamic(ModuleSpec("library", None, origin="/tmp/library.so"))
