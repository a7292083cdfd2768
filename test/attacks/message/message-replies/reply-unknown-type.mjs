// id: reply-unknown-type
// title: a reply of an unknown type
// level: L3
// class: message-replies
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = ({ id }) => ({ id, type: 'NOPE' })

export default (context) => context.port.postMessage(message(context))
