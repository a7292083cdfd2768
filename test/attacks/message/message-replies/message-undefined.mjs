// id: message-undefined
// title: a message that is undefined
// level: L3
// class: message-replies
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = () => undefined

export default (context) => context.port.postMessage(message(context))
