// id: task-finish-all
// title: reporting every task of the thread pool as finished
// level: L3
// class: task-channels
// expect: error
// control: outcome
// timeout-ms: 3000

import { taskPort } from '../../support/wire.mjs'

export default (context) => {
  globalThis.secret = context.detail
  // A process numbers its tasks from 0; finish all of them.
  for (let taskId = 0; taskId < 100; taskId++)
    taskPort(context).postMessage({ taskId, result: undefined, error: null })
}
