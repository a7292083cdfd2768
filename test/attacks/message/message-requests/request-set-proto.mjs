// id: request-set-proto
// title: a Comlink request to set a property through __proto__
// level: L3
// class: message-requests
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = () => ({
  id: '1',
  type: 'SET',
  path: ['__proto__', 'polluted'],
  value: { type: 'RAW', value: 1 },
})

export default (context) => context.port.postMessage(message(context))
