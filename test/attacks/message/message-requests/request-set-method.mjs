// id: request-set-method
// title: a Comlink request to replace a method
// level: L3
// class: message-requests
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = () => ({ id: '1', type: 'SET', path: ['execute'], value: { type: 'RAW', value: 1 } })

export default (context) => context.port.postMessage(message(context))
