// id: message-bytes
// title: a message that is bytes
// level: L3
// class: message-replies
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = () => new Uint8Array(8)

export default (context) => context.port.postMessage(message(context))
