// id: task-close
// title: a closed port of the thread pool
// level: L3
// class: task-channels
// expect: error
// control: outcome
// timeout-ms: 100

import { taskPort } from '../../support/wire.mjs'

export default (context) => taskPort(context).close()
