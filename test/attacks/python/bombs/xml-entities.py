# id: xml-entities
# title: XML entities that expand to gigabytes stop with an error at the limit
# level: L1
# class: bombs
# expect: python
# control: outcome
# limits: {"memoryBytes":67108864}
# rss-mib: 900
# timeout-ms: 15000

import xml.etree.ElementTree as t
t.fromstring('<!DOCTYPE a [<!ENTITY a0 "' + 'x' * 1000 + '">' + ''.join(f'<!ENTITY a{i} "' + f'&a{i - 1};' * 20 + '">' for i in range(1, 9)) + ']><a>&a8;</a>')
