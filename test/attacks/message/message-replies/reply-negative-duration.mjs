// id: reply-negative-duration
// title: a reply with a negative duration
// level: L3
// class: message-replies
// expect: result | crash reset
// control: outcome
// timeout-ms: 3000

const message = ({ id, outcome }) => ({
  id,
  type: 'RAW',
  value: outcome([true, '42', 42, {}], { durationMs: -1e308 }),
})

export default (context) => context.port.postMessage(message(context))
