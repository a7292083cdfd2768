// id: payload-huge
// title: a payload of 64 MiB
// level: L3
// class: message-floods
// expect: crash reset | limit
// control: outcome
// timeout-ms: 3000

const message = ({ id, outcome }) => ({
  id,
  type: 'RAW',
  value: outcome([true], { payload: new Uint8Array(2 ** 26) }),
})

export default (context) => context.port.postMessage(message(context))
