// id: calls-foreign-execution
// title: host calls of another execution
// level: L3
// class: message-calls
// expect: crash
// control: outcome
// timeout-ms: 3000
// calls: []

import { echo, list, own } from '../../support/wire.mjs'

export default async (context) => {
  context.port.postMessage({
    event: 'calls',
    takenBytes: 0,
    id: context.executionId + 1,
    batch: 1,
    calls: own(list(echo(1))),
  })
}
