// id: reply-id-array
// title: a reply whose id is an array
// level: L3
// class: message-replies
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = ({ id, outcome }) => ({ id: [id], type: 'RAW', value: outcome([true]) })

export default (context) => context.port.postMessage(message(context))
