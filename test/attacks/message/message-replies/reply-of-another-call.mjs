// id: reply-of-another-call
// title: a reply that belongs to another kind of call
// level: L3
// class: message-replies
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = ({ id }) => ({ id, type: 'RAW', value: { kind: 'reverted', done: true } })

export default (context) => context.port.postMessage(message(context))
