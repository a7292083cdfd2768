// id: parent-port
// title: odd messages to the worker’s parent
// level: L3
// class: task-channels
// expect: error
// control: outcome
// timeout-ms: 1000

import { forever } from '../../support/wire.mjs'

export default ({ parentPort }) => {
  for (const message of [
    null,
    undefined,
    5,
    'x',
    [],
    {},
    { ready: true },
    { _WORKER_READY: true },
    new Map(),
  ])
    parentPort.postMessage(message)
  return forever()
}
