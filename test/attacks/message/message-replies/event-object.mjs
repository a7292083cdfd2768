// id: event-object
// title: an event whose name is an object
// level: L3
// class: message-replies
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = () => ({ event: { toString: 1 } })

export default (context) => context.port.postMessage(message(context))
