// id: reply-port
// title: a reply with a port in its data
// level: L3
// class: message-replies
// expect: result | crash reset
// control: outcome
// timeout-ms: 3000

export default ({ port, id, outcome, MessageChannel }) => {
  const { port1, port2 } = new MessageChannel()
  port2.on('message', () => {})
  port.postMessage({ id, type: 'RAW', value: outcome([true, '42', 42, {}], { port: port1 }) }, [port1])
}
