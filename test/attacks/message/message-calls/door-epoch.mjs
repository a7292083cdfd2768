// id: door-epoch
// title: a blocking call whose epoch is text
// level: L3
// class: message-calls
// expect: crash
// control: outcome
// timeout-ms: 3000
// calls: []

import { door, echo, own } from '../../support/wire.mjs'

export default door(['1', own(echo(1))])
