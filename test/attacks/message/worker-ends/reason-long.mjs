// id: reason-long
// title: the reason of a worker’s end, a million letters long
// level: L3
// class: worker-ends
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = ({ id }) => ({ id, type: 'RAW', value: { kind: 'died', reason: 'x'.repeat(1e6) } })

export default (context) => context.port.postMessage(message(context))
