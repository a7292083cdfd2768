// id: calls-iterators
// title: host calls for iterators that do not exist
// level: L3
// class: message-calls
// expect: result
// control: outcome
// timeout-ms: 3000
// calls: []

import { dict, int, list, lot, text, tuple } from '../../support/wire.mjs'

export default lot(
  list(
    tuple(int(1), text('iterator.next'), dict({ iterator: int(1) })),
    tuple(int(2), text('iterator.close'), dict({ iterator: text('__proto__') })),
    tuple(int(3), text('iterator.next'), dict({})),
    tuple(int(4), text('iterator.nope'), dict({})),
  ),
)
