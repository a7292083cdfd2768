// id: request-arguments
// title: a Comlink request whose argument list is a number
// level: L3
// class: message-requests
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = () => ({ id: '1', type: 'APPLY', path: [], argumentList: 5 })

export default (context) => context.port.postMessage(message(context))
