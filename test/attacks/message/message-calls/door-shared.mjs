// id: door-shared
// title: a blocking call in shared memory
// level: L3
// class: message-calls
// expect: crash
// control: outcome
// timeout-ms: 3000
// calls: []

import { door } from '../../support/wire.mjs'

export default door([0, new Uint8Array(new SharedArrayBuffer(8))])
