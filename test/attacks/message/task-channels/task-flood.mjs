// id: task-flood
// title: reporting 20,000 unknown tasks as finished
// level: L3
// class: task-channels
// expect: error
// control: outcome
// timeout-ms: 3000

import { taskPort } from '../../support/wire.mjs'

export default (context) => {
  const port = taskPort(context)
  for (let i = 0; i < 20_000; i++) port.postMessage({ taskId: -1 - i })
}
