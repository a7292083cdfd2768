// id: calls-id-float
// title: a host call whose id is a float
// level: L3
// class: message-calls
// expect: crash
// control: outcome
// timeout-ms: 3000
// calls: []

import { dict, FLOAT, list, lot, text, tuple } from '../../support/wire.mjs'

export default lot(list(tuple(FLOAT, text('echo'), dict({}))))
