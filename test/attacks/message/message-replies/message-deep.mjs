// id: message-deep
// title: a message nested a thousand levels deep
// level: L3
// class: message-replies
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = ({ id }) => {
  let value = {}
  for (let depth = 0; depth < 1000; depth++) value = { value }
  return { id, type: 'RAW', value }
}

export default (context) => context.port.postMessage(message(context))
