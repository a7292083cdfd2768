// id: message-array
// title: a message that is an array
// level: L3
// class: message-replies
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = () => [{ event: 'ready' }]

export default (context) => context.port.postMessage(message(context))
