// id: reply-exceeded-unknown
// title: a reply that names an unknown limit as exceeded
// level: L3
// class: message-replies
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = ({ id, outcome }) => ({
  id,
  type: 'RAW',
  value: outcome([true], { exceeded: 'toString' }),
})

export default (context) => context.port.postMessage(message(context))
