// id: calls-name-none
// title: calls: name none
// level: L3
// class: message-calls
// expect: crash
// control: outcome
// timeout-ms: 3000
// calls: []

import { dict, int, list, lot, NONE, tuple } from '../../support/wire.mjs'

export default lot(list(tuple(int(1), NONE, dict({}))))
