// id: reply-handler
// title: a reply with an unknown transfer handler
// level: L3
// class: message-replies
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = ({ id }) => ({ id, type: 'HANDLER', name: 'nope', value: 1 })

export default (context) => context.port.postMessage(message(context))
