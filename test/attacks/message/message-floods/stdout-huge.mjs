// id: stdout-huge
// title: a stdout of 64 MiB
// level: L3
// class: message-floods
// expect: crash reset | limit
// control: outcome
// timeout-ms: 3000

import { HUGE_TEXT } from '../../support/wire.mjs'

const message = ({ id, outcome }) => ({
  id,
  type: 'RAW',
  value: outcome([true, '42', 42, {}], { stdout: HUGE_TEXT() }),
})

export default (context) => context.port.postMessage(message(context))
