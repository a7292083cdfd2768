// id: spin
// title: spins
// level: L3
// class: worker-ends
// expect: error
// control: outcome
// timeout-ms: 1000

export default () => {
  for (;;);
}
