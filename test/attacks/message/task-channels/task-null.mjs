// id: task-null
// title: null sent to the thread pool
// level: L3
// class: task-channels
// expect: error
// control: outcome
// timeout-ms: 3000

import { taskPort } from '../../support/wire.mjs'

export default (context) => taskPort(context).postMessage(null)
