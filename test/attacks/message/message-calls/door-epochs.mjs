// id: door-epochs
// title: blocking calls with epochs that do not exist
// level: L3
// class: message-calls
// expect: result
// control: outcome
// timeout-ms: 3000
// calls: [{"x":1},{"x":2},{"x":3}]

import { door, echo, own } from '../../support/wire.mjs'

export default door([0, own(echo(1))], [-5, own(echo(2))], [2 ** 53 - 1, own(echo(3))])
