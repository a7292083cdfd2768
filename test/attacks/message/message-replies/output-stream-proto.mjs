// id: output-stream-proto
// title: output to a stream named __proto__
// level: L3
// class: message-replies
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = () => ({ event: 'output', id: 1, stream: '__proto__', text: 'x' })

export default (context) => context.port.postMessage(message(context))
