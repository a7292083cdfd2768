// id: reply-number
// title: a reply that is a number
// level: L3
// class: message-replies
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = ({ id }) => ({ id, type: 'RAW', value: 5 })

export default (context) => context.port.postMessage(message(context))
