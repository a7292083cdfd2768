// id: reply-twice
// title: a second reply to one request
// level: L3
// class: message-replies
// expect: result
// control: outcome
// timeout-ms: 3000

export default ({ port, id, outcome }) => {
  for (let i = 0; i < 2; i++) port.postMessage({ id, type: 'RAW', value: outcome([true, '42', 42, {}]) })
}
