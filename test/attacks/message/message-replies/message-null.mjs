// id: message-null
// title: a message that is null
// level: L3
// class: message-replies
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = () => null

export default (context) => context.port.postMessage(message(context))
