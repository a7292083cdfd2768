# id: stack-nested-xml
# title: no stack left: nested XML
# level: L1
# class: stack
# expect: any
# control: none CPython may stop it first

import xml.etree.ElementTree as t; t.fromstring('<a>' * 100_000 + '</a>' * 100_000)
