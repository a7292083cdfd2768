// id: reply-kind-constructor
// title: a reply of kind constructor
// level: L3
// class: message-replies
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = ({ id }) => ({ id, type: 'RAW', value: { kind: 'constructor' } })

export default (context) => context.port.postMessage(message(context))
