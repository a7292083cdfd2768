// id: answer-and-exit
// title: a worker that answers and exits
// level: L3
// class: worker-ends
// expect: result | crash
// control: outcome
// timeout-ms: 3000

export default ({ port, id, outcome, process }) => {
  port.postMessage({ id, type: 'RAW', value: outcome([true, '42', 42, {}]) })
  process.exit(1)
}
