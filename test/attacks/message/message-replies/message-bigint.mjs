// id: message-bigint
// title: a message that is a bigint
// level: L3
// class: message-replies
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = () => 2n ** 4000n

export default (context) => context.port.postMessage(message(context))
