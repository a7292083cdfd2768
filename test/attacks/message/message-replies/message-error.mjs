// id: message-error
// title: a message that is an Error
// level: L3
// class: message-replies
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = () => new Error('x')

export default (context) => context.port.postMessage(message(context))
