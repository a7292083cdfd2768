// id: output-text-object
// title: output whose text is an object
// level: L3
// class: message-replies
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = () => ({ event: 'output', id: 1, stream: 1, text: { length: 1 } })

export default (context) => context.port.postMessage(message(context))
