// id: calls-no-list
// title: host calls that are a number
// level: L3
// class: message-calls
// expect: crash
// control: outcome
// timeout-ms: 3000
// calls: []

import { int, lot } from '../../support/wire.mjs'

export default lot(int(5))
