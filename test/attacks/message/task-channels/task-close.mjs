// id: task-close
// title: the pool’s port closed
// level: L3
// class: task-channels
// expect: error
// control: outcome
// timeout-ms: 150

import { taskPort } from '../../support/wire.mjs'

export default (context) => taskPort(context).close()
