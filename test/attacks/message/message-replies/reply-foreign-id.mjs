// id: reply-foreign-id
// title: a reply to a request that nobody made
// level: L3
// class: message-replies
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = ({ outcome }) => ({ id: '1-2-3-4', type: 'RAW', value: outcome([true]) })

export default (context) => context.port.postMessage(message(context))
