// id: reply-proxy
// title: a reply that is a proxy handler
// level: L3
// class: message-replies
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = ({ id }) => ({ id, type: 'HANDLER', name: 'proxy', value: {} })

export default (context) => context.port.postMessage(message(context))
