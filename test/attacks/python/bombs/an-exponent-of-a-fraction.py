# id: an-exponent-of-a-fraction
# title: a fraction with a huge exponent ends in an error within the limits
# level: L1
# class: bombs
# expect: error
# control: outcome
# limits: {"memoryBytes":67108864}
# timeout-ms: 100
# rss-mib: 800

import fractions
fractions.Fraction('1e99999999')
