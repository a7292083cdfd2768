// id: output-huge
// title: output of 64 MiB
// level: L3
// class: message-floods
// expect: crash reset | limit
// control: outcome
// timeout-ms: 3000

import { HUGE_TEXT } from '../../support/wire.mjs'

const message = ({ executionId }) => ({ event: 'output', id: executionId, stream: 1, text: HUGE_TEXT() })

export default (context) => context.port.postMessage(message(context))
