// id: payload-shared
// title: a payload in shared memory
// level: L3
// class: message-replies
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = ({ id, outcome }) => ({
  id,
  type: 'RAW',
  value: outcome([true], { payload: new Uint8Array(new SharedArrayBuffer(64)) }),
})

export default (context) => context.port.postMessage(message(context))
