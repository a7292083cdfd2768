// id: calls-cut-short
// title: host calls without their last byte
// level: L3
// class: message-calls
// expect: crash
// control: outcome
// timeout-ms: 3000
// calls: []

import { echo, list, lot } from '../../support/wire.mjs'

export default lot(list(echo(1)).subarray(0, -1))
