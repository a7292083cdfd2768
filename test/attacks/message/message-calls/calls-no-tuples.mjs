// id: calls-no-tuples
// title: host calls that are not tuples
// level: L3
// class: message-calls
// expect: crash
// control: outcome
// timeout-ms: 3000
// calls: []

import { int, list, lot, NONE } from '../../support/wire.mjs'

export default lot(list(int(1), NONE))
