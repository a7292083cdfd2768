// id: payload-sparse-array
// title: a payload that is a sparse array of length 2^32 - 1
// level: L3
// class: message-replies
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = ({ id, outcome }) => {
  const sparse = []
  sparse[2 ** 32 - 2] = 1
  return { id, type: 'RAW', value: { ...outcome([true]), payload: sparse } }
}

export default (context) => context.port.postMessage(message(context))
