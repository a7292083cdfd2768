// id: payload-blob
// title: a payload that is a Blob
// level: L3
// class: message-replies
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = ({ id, outcome }) => ({
  id,
  type: 'RAW',
  value: outcome([true], { payload: new Blob(['x']) }),
})

export default (context) => context.port.postMessage(message(context))
