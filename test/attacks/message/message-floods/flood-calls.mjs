// id: flood-calls
// title: an endless number of host calls
// level: L3
// class: message-floods
// expect: error
// control: outcome
// timeout-ms: 1000

import { echo, list, own } from '../../support/wire.mjs'

export default async ({ port, executionId }) => {
  const calls = own(list(...Array.from({ length: 100 }, (_, id) => echo(id))))
  for (let batch = 1; ; batch++)
    port.postMessage({ event: 'calls', takenBytes: 0, id: executionId, batch, calls })
}
