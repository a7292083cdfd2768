// id: stdout-sparse-array
// title: a stdout that is a sparse array
// level: L3
// class: message-replies
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = ({ id, outcome }) => {
  const sparse = []
  sparse.length = 2 ** 32 - 1
  return { id, type: 'RAW', value: outcome([true], { stdout: sparse }) }
}

export default (context) => context.port.postMessage(message(context))
