// id: message-nan
// title: a message that is NaN
// level: L3
// class: message-replies
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = () => Number.NaN

export default (context) => context.port.postMessage(message(context))
