// id: reply-handler-proto
// title: a reply with the transfer handler __proto__
// level: L3
// class: message-replies
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = ({ id }) => ({ id, type: 'HANDLER', name: '__proto__', value: 1 })

export default (context) => context.port.postMessage(message(context))
