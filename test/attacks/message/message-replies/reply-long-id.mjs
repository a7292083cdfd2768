// id: reply-long-id
// title: a reply whose id has a million letters
// level: L3
// class: message-replies
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = ({ outcome }) => ({ id: 'x'.repeat(1e6), type: 'RAW', value: outcome([true]) })

export default (context) => context.port.postMessage(message(context))
