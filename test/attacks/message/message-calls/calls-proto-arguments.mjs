// id: calls-proto-arguments
// title: a host call whose arguments have prototype keys
// level: L3
// class: message-calls
// expect: result
// control: outcome
// timeout-ms: 3000
// calls: [{"constructor":{"prototype":{"polluted":1}},"x":5}]

import { dict, int, list, lot, text, tuple } from '../../support/wire.mjs'

export default lot(
  list(
    tuple(
      int(1),
      text('echo'),
      dict({
        ['__proto__']: dict({ polluted: int(1) }),
        constructor: dict({ prototype: dict({ polluted: int(1) }) }),
        x: int(5),
      }),
    ),
  ),
)
