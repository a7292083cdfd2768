// id: payload-buffer
// title: a payload that is an ArrayBuffer
// level: L3
// class: message-replies
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = ({ id, outcome }) => ({
  id,
  type: 'RAW',
  value: outcome([true], { payload: new ArrayBuffer(9) }),
})

export default (context) => context.port.postMessage(message(context))
