// id: calls-duplicate-ids
// title: host calls with the same id
// level: L3
// class: message-calls
// expect: result
// control: outcome
// timeout-ms: 3000
// calls: [{"x":7},{"x":7},{"x":-1},{"x":2147483647}]

import { echo, list, lot } from '../../support/wire.mjs'

export default lot(list(echo(7), echo(7), echo(-1), echo(2 ** 31 - 1)))
