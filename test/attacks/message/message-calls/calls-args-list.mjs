// id: calls-args-list
// title: a host call whose arguments are a list
// level: L3
// class: message-calls
// expect: crash
// control: outcome
// timeout-ms: 3000
// calls: []

import { int, list, lot, text, tuple } from '../../support/wire.mjs'

export default lot(list(tuple(int(1), text('echo'), list())))
