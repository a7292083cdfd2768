// id: request-static
// title: a Comlink request to apply Object.assign
// level: L3
// class: message-requests
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = () => ({ id: '1', type: 'APPLY', path: ['constructor', 'assign'], argumentList: [] })

export default (context) => context.port.postMessage(message(context))
