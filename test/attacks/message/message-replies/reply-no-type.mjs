// id: reply-no-type
// title: a reply without a type
// level: L3
// class: message-replies
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = ({ id }) => ({ id })

export default (context) => context.port.postMessage(message(context))
