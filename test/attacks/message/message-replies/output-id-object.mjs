// id: output-id-object
// title: output whose id is an object
// level: L3
// class: message-replies
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = () => ({ event: 'output', id: {}, stream: 1, text: 'x' })

export default (context) => context.port.postMessage(message(context))
