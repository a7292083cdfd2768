# id: stack-nested-xml
# title: exhausting the stack by nested XML harms at most its own interpreter
# level: L1
# class: stack
# expect: any
# control: none CPython may stop it first

import xml.etree.ElementTree as t; t.fromstring('<a>' * 100_000 + '</a>' * 100_000)
