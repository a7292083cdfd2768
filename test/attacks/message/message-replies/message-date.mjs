// id: message-date
// title: a message that is an invalid date
// level: L3
// class: message-replies
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = () => new Date(Number.NaN)

export default (context) => context.port.postMessage(message(context))
