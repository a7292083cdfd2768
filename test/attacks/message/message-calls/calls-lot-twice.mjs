// id: calls-lot-twice
// title: the same batch of host calls twice
// level: L3
// class: message-calls
// expect: crash
// control: outcome
// timeout-ms: 3000

import { echo, list, own } from '../../support/wire.mjs'

export default async (context) => {
  for (let i = 0; i < 2; i++)
    context.port.postMessage({
      event: 'calls',
      takenBytes: 0,
      id: context.executionId,
      batch: 1,
      calls: own(list(echo(1))),
    })
}
