// id: calls-name-none
// title: a host call whose name is None
// level: L3
// class: message-calls
// expect: crash
// control: outcome
// timeout-ms: 3000
// calls: []

import { dict, int, list, lot, NONE, tuple } from '../../support/wire.mjs'

export default lot(list(tuple(int(1), NONE, dict({}))))
