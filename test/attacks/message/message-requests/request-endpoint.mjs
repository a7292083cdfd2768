// id: request-endpoint
// title: a Comlink request for an endpoint, which would open a channel
// level: L3
// class: message-requests
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = () => ({ id: '1', type: 'ENDPOINT' })

export default (context) => context.port.postMessage(message(context))
