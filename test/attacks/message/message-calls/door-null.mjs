// id: door-null
// title: a blocking call that is null
// level: L3
// class: message-calls
// expect: crash
// control: outcome
// timeout-ms: 3000
// calls: []

import { door } from '../../support/wire.mjs'

export default door(null)
