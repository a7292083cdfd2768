// id: calls-second-lot-first
// title: the second batch of host calls without a first
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
    id: context.executionId,
    batch: 2,
    calls: own(list(echo(1))),
  })
}
