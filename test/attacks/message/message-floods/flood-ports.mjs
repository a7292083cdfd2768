// id: flood-ports
// title: thousands of ports
// level: L3
// class: message-floods
// expect: error
// control: outcome
// timeout-ms: 3000

export default ({ port, MessageChannel }) => {
  for (let i = 0; i < 2000; i++) {
    const { port1 } = new MessageChannel()
    port.postMessage({ event: 'output', id: 1, stream: 1, text: '', extra: port1 }, [port1])
  }
  port.postMessage({ event: 'nope' })
}
