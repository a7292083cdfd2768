// id: calls-args-none
// title: a host call whose arguments are None
// level: L3
// class: message-calls
// expect: crash
// control: outcome
// timeout-ms: 3000
// calls: []

import { int, list, lot, NONE, text, tuple } from '../../support/wire.mjs'

export default lot(list(tuple(int(1), text('echo'), NONE)))
