// id: door-list
// title: a blocking call that is a list of calls
// level: L3
// class: message-calls
// expect: crash
// control: outcome
// timeout-ms: 3000
// calls: []

import { door, echo, list, own } from '../../support/wire.mjs'

export default door([0, own(list(echo(1)))])
