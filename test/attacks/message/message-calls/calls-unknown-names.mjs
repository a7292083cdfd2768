// id: calls-unknown-names
// title: host calls with unknown names
// level: L3
// class: message-calls
// expect: result
// control: outcome
// timeout-ms: 3000
// calls: []

import { dict, int, list, lot, PROTOTYPE_NAMES, text, tuple } from '../../support/wire.mjs'

export default lot(list(...PROTOTYPE_NAMES.map((name, id) => tuple(int(id), text(name), dict({})))))
