// id: reply-handler-throw
// title: a reply that Comlink would throw
// level: L3
// class: message-replies
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = ({ id }) => ({
  id,
  type: 'HANDLER',
  name: 'throw',
  value: { isError: true, value: { message: 'x', name: 'x', stack: 'x', __proto__: null } },
})

export default (context) => context.port.postMessage(message(context))
