// id: flood-small-output
// title: endless output of single letters
// level: L3
// class: message-floods
// expect: error
// control: outcome
// timeout-ms: 3000

export default ({ port, executionId }) => {
  for (;;) port.postMessage({ event: 'output', id: executionId, stream: 1, text: '.' })
}
