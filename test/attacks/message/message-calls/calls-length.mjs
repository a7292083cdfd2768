// id: calls-length
// title: host calls that claim a length of 2^31 - 1
// level: L3
// class: message-calls
// expect: crash
// control: outcome
// timeout-ms: 3000
// calls: []

import { lot, sized } from '../../support/wire.mjs'

export default lot(sized(0x5b, 2 ** 31 - 1))
