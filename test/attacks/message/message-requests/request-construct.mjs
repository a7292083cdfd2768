// id: request-construct
// title: a Comlink request to construct a function from text
// level: L3
// class: message-requests
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = () => ({
  id: '1',
  type: 'CONSTRUCT',
  path: ['constructor', 'constructor'],
  argumentList: [{ type: 'RAW', value: 'return process' }],
})

export default (context) => context.port.postMessage(message(context))
