// id: reply-nan
// title: a reply with a duration that is NaN
// level: L3
// class: message-replies
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = ({ id, outcome }) => ({
  id,
  type: 'RAW',
  value: outcome([true], { durationMs: Number.NaN }),
})

export default (context) => context.port.postMessage(message(context))
