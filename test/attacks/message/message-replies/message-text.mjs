// id: message-text
// title: a message that is text
// level: L3
// class: message-replies
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = () => 'ready'

export default (context) => context.port.postMessage(message(context))
