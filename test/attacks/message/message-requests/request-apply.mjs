// id: request-apply
// title: a Comlink request to apply a constructor
// level: L3
// class: message-requests
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = () => ({ id: '1', type: 'APPLY', path: ['constructor'], argumentList: [] })

export default (context) => context.port.postMessage(message(context))
