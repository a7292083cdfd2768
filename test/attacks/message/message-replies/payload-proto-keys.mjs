// id: payload-proto-keys
// title: prototype keys in a payload
// level: L3
// class: message-replies
// expect: result
// control: outcome
// timeout-ms: 3000

import { protoKeys } from '../../support/wire.mjs'

const message = ({ id, outcome }) => ({
  id,
  type: 'RAW',
  value: { ...outcome([true]), payload: protoKeys() },
})

export default (context) => context.port.postMessage(message(context))
