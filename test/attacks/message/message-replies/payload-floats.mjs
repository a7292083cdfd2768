// id: payload-floats
// title: a payload of floats
// level: L3
// class: message-replies
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = ({ id, outcome }) => ({
  id,
  type: 'RAW',
  value: outcome([true], { payload: new Float64Array(9) }),
})

export default (context) => context.port.postMessage(message(context))
