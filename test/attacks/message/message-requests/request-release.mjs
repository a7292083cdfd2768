// id: request-release
// title: a Comlink request to release what the main thread listens with
// level: L3
// class: message-requests
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = () => ({ id: '1', type: 'RELEASE' })

export default (context) => context.port.postMessage(message(context))
