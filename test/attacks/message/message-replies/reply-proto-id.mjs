// id: reply-proto-id
// title: a reply to a request with the id __proto__
// level: L3
// class: message-replies
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = ({ outcome }) => ({ id: '__proto__', type: 'RAW', value: outcome([true]) })

export default (context) => context.port.postMessage(message(context))
