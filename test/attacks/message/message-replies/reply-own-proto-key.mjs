// id: reply-own-proto-key
// title: a reply with an own __proto__ key
// level: L3
// class: message-replies
// expect: crash reset restored
// control: outcome
// timeout-ms: 3000

const message = ({ id, outcome }) => ({
  id,
  type: 'RAW',
  value: JSON.parse(`{"__proto__": {"kind": "died", "polluted": 1}, "kind": "${outcome([true]).kind}"}`),
})

export default (context) => context.port.postMessage(message(context))
