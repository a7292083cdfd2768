// id: task-finish-all
// title: tasks finished by number
// level: L3
// class: task-channels
// expect: error
// control: outcome
// timeout-ms: 3000

import { taskPort } from '../../support/wire.mjs'

export default (context) => {
  globalThis.secret = context.detail
  // Tasks are numbered from 0 on in a process; all of them are finished.
  for (let taskId = 0; taskId < 100; taskId++)
    taskPort(context).postMessage({ taskId, result: undefined, error: null })
}
