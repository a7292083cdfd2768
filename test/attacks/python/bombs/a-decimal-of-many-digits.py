# id: a-decimal-of-many-digits
# title: a decimal with a billion digits ends in an error within the limits
# level: L1
# class: bombs
# expect: error
# control: outcome
# limits: {"memoryBytes":67108864}
# timeout-ms: 4000
# rss-mib: 800

import decimal
decimal.getcontext().prec = 10**9
decimal.Decimal(1) / 3 + decimal.Decimal('1e-999999999')
