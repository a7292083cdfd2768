// id: flood-output
// title: endless output
// level: L3
// class: message-floods
// expect: error
// control: outcome
// timeout-ms: 3000

export default ({ port, executionId }) => {
  const text = 'x'.repeat(65_536)
  for (;;) port.postMessage({ event: 'output', id: executionId, stream: 1, text })
}
