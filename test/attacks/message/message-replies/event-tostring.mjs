// id: event-tostring
// title: an event named like a prototype’s method
// level: L3
// class: message-replies
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = () => ({ event: 'toString' })

export default (context) => context.port.postMessage(message(context))
