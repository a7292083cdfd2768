// id: reason-control-characters
// title: the reason of a worker’s end with control characters
// level: L3
// class: worker-ends
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = ({ id }) => ({
  id,
  type: 'RAW',
  value: { kind: 'died', reason: '\u001b[2J\u0000\r\nroot: all is well\ud800' },
})

export default (context) => context.port.postMessage(message(context))
