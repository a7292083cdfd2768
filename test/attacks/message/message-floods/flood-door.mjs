// id: flood-door
// title: an endless number of blocking calls
// level: L3
// class: message-floods
// expect: error
// control: outcome
// timeout-ms: 3000

import { echo, own } from '../../support/wire.mjs'

export default async ({ task }) => {
  const request = own(echo(1))
  for (;;) task.calls.port.postMessage([0, request])
}
