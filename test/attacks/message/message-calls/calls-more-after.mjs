// id: calls-more-after
// title: host calls followed by more bytes
// level: L3
// class: message-calls
// expect: crash
// control: outcome
// timeout-ms: 3000
// calls: []

import { echo, list, lot, NONE } from '../../support/wire.mjs'

export default lot(Buffer.concat([list(echo(1)), NONE]))
