// id: flood-empty-calls
// title: an endless number of empty lists of host calls
// level: L3
// class: message-floods
// expect: error
// control: outcome
// timeout-ms: 3000

import { list, own } from '../../support/wire.mjs'

export default ({ port, executionId }) => {
  const calls = own(list())
  for (let batch = 1; ; batch++)
    port.postMessage({ event: 'calls', takenBytes: 0, id: executionId, batch, calls })
}
