// id: spin
// title: a worker that spins
// level: L3
// class: worker-ends
// expect: error
// control: outcome
// timeout-ms: 100

export default () => {
  for (;;);
}
