// id: message-many-fields
// title: a message of 100,000 fields
// level: L3
// class: message-replies
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = () => Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`k${i}`, i]))

export default (context) => context.port.postMessage(message(context))
