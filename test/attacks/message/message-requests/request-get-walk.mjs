// id: request-get-walk
// title: a Comlink request to get a value along a path of prototypes
// level: L3
// class: message-requests
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = () => ({ id: '1', type: 'GET', path: ['__proto__', 'apply'] })

export default (context) => context.port.postMessage(message(context))
