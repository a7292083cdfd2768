// id: calls-id-text
// title: a host call whose id is text
// level: L3
// class: message-calls
// expect: crash
// control: outcome
// timeout-ms: 3000
// calls: []

import { dict, list, lot, text, tuple } from '../../support/wire.mjs'

export default lot(list(tuple(text('1'), text('echo'), dict({}))))
