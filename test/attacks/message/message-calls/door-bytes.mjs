// id: door-bytes
// title: a blocking call of random bytes
// level: L3
// class: message-calls
// expect: crash
// control: outcome
// timeout-ms: 3000
// calls: []

import { door, own } from '../../support/wire.mjs'

export default door([0, own(Buffer.from('garbage'))])
