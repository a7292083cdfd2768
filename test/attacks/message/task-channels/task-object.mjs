// id: task-object
// title: reporting a task whose number is an object as finished
// level: L3
// class: task-channels
// expect: error
// control: outcome
// timeout-ms: 3000

import { taskPort } from '../../support/wire.mjs'

export default (context) => taskPort(context).postMessage({ taskId: {}, result: 1, error: null })
