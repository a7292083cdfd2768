// id: message-map
// title: a message that is a Map
// level: L3
// class: message-replies
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = () => new Map([['event', 'ready']])

export default (context) => context.port.postMessage(message(context))
