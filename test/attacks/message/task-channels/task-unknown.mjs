// id: task-unknown
// title: reporting an unknown task as finished
// level: L3
// class: task-channels
// expect: error
// control: outcome
// timeout-ms: 3000

import { taskPort } from '../../support/wire.mjs'

export default (context) => taskPort(context).postMessage({ taskId: 1e9, result: 1, error: null })
