// id: task-none
// title: reporting a task without a number as finished
// level: L3
// class: task-channels
// expect: error
// control: outcome
// timeout-ms: 3000

import { taskPort } from '../../support/wire.mjs'

export default (context) => taskPort(context).postMessage({})
