// id: calls-after-the-end
// title: host calls after the execution’s end
// level: L3
// class: message-calls
// expect: result
// control: outcome
// timeout-ms: 3000

import { echo, finish, list, own } from '../../support/wire.mjs'

export default async (context) => {
  finish(context)
  context.port.postMessage({
    event: 'calls',
    takenBytes: 0,
    id: context.executionId,
    batch: 1,
    calls: own(list(echo(1))),
  })
}
