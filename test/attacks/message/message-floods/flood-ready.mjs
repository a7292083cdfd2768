// id: flood-ready
// title: endless ready events
// level: L3
// class: message-floods
// expect: error
// control: outcome
// timeout-ms: 3000

export default ({ port }) => {
  for (;;) port.postMessage({ event: 'ready' })
}
