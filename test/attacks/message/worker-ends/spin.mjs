// id: spin
// title: spins
// level: L3
// class: worker-ends
// expect: error
// control: outcome
// timeout-ms: 3000

export default () => {
  for (;;);
}
