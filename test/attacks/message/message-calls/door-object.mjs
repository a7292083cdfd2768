// id: door-object
// title: a blocking call that is an object
// level: L3
// class: message-calls
// expect: crash
// control: outcome
// timeout-ms: 3000
// calls: []

import { door } from '../../support/wire.mjs'

export default door({ 0: 1, 1: new Uint8Array(), length: 2 })
